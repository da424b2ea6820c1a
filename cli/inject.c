/* SPDX-License-Identifier: MIT */
/*
 * A message for a route, as if it had come in from the world: it goes to the hop's listener, where Postfix's transport_maps would
 * have led it. What becomes of it is told as of any other.
 */
#include <string.h>

#include "cli/output.h"
#include "cli/send_letter.h"
#include "cli/session.h"
#include "lib/base/address.h"
#include "lib/base/error.h"
#include "lib/edge/edge_route.h"
#include "lib/mime/field.h"
#include "lib/submission/raw.h"
#include "lib/submission/smtp_link.h"

#define TRIAL_SUBJECT "Trial of a route"
#define TRIAL_TEXT    "This message was made by `outrider message inject' to try a route.\n"
#define TRIAL_FILE    "trial.txt"

static gboolean invalid(GError **error, const char *text)
{
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "%s", text);
    return FALSE;
}

/* By the replica of this host, as the milter sees it. */
static EdgeRoute *find_route(const Config *config, const char *address, GError **error)
{
    g_autoptr(Edge) edge = edge_open(config_string(config, CONFIG_EDGE_DIR));
    EdgeRoute *route = NULL;

    if (edge_route_for_recipient(edge, address, config_string(config, CONFIG_ROUTE_DOMAIN), &route,
                                 error) &&
        !route)
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND,
                    "address: %s leads to no route, or not yet on this host", address);
    return route;
}

static GPtrArray *one_addressee(const char *address)
{
    GPtrArray *list = g_ptr_array_new_with_free_func((GDestroyNotify)addressee_free);

    addressees_add(list, "address", address, 1, NULL);
    return list;
}

/* Another one for each message, as the milter knows one by it. g_free. */
static char *received_value(const Config *config)
{
    g_autofree char *date = mime_date(g_get_real_time() / G_USEC_PER_SEC);
    g_autofree char *id = g_strdelimit(g_uuid_string_random(), "-", '0');

    return g_strdup_printf(" by %s (outrider message inject)\r\n\tid %s;\r\n\t%s",
                           config_string(config, CONFIG_HOSTNAME), id, date);
}

static GPtrArray *trial_file(void)
{
    GPtrArray *files = g_ptr_array_new_with_free_func((GDestroyNotify)mime_file_free);
    MimeFile *file = g_new0(MimeFile, 1);

    *file = (MimeFile){.name = g_strdup(TRIAL_FILE),
                       .type = g_strdup("text/plain"),
                       .data = g_memdup2(TRIAL_TEXT, strlen(TRIAL_TEXT)),
                       .length = strlen(TRIAL_TEXT)};
    g_ptr_array_add(files, file);
    return files;
}

static Submission *make_trial(const Config *config, const char *from, const char *to,
                              GError **error)
{
    g_autoptr(Letter) letter = g_new0(Letter, 1);
    g_autofree char *date = mime_date(g_get_real_time() / G_USEC_PER_SEC);
    g_autofree char *uuid = g_uuid_string_random(), *received = received_value(config);
    g_autofree char *message_id =
        g_strdup_printf("%s@%s", uuid, config_string(config, CONFIG_HOSTNAME));
    const LetterStamp stamp = {message_id, received, date};
    g_autofree char *text = NULL;
    V1Error wrong = V1_ERROR_NONE;

    letter->to = one_addressee(to);
    letter->cc = g_ptr_array_new();
    letter->bcc = g_ptr_array_new();
    letter->from = g_strdup(from);
    letter->subject = g_strdup(TRIAL_SUBJECT);
    letter->text = g_strdup(TRIAL_TEXT);
    letter->headers = mime_fields_new();
    letter->files = trial_file();
    Submission *made = letter_compose(letter, &stamp, &wrong, &text);
    if (!made)
        invalid(error, text ? text : v1_error_words(wrong)->message);
    return made;
}

static Submission *read_message(const Config *config, const char *file, GError **error)
{
    gsize left = (gsize)config_int(config, CONFIG_MESSAGE_SIZE_MAX);
    g_autoptr(Submission) submission = submission_new();
    g_autoptr(GByteArray) data = send_file_read("raw", file, &left, error);
    g_autofree char *received = received_value(config);

    if (!data || !raw_read((const char *)data->data, data->len, submission, error))
        return NULL;
    mime_fields_add(submission->fields, "Received", received);
    g_ptr_array_insert(submission->fields, 0,
                       g_ptr_array_steal_index(submission->fields, submission->fields->len - 1));
    return g_steal_pointer(&submission);
}

static char *hand_over(const Config *config, const Submission *message, const char *from,
                       const char *to, GError **error)
{
    SmtpPool *pool = smtp_pool_new((guint16)config_int(config, CONFIG_HOP_PORT));
    g_autoptr(GPtrArray) rcpts = g_ptr_array_new();
    g_autoptr(GString) head = g_string_new(NULL);
    const SmtpMail mail = {from, rcpts, head, message->body};

    submission_write_fields(message, head);
    g_string_append(head, "\r\n");
    g_ptr_array_add(rcpts, (gpointer)(guintptr)to);
    char *queue_id = smtp_pool_send(pool, &mail, error);
    smtp_pool_free(pool);
    return queue_id;
}

static void print(const Cli *cli, const EdgeRoute *route, const char *queue_id)
{
    g_autoptr(Record) data = json_object_new_object();
    g_autofree char *name = g_strdup_printf("%s@%s", route->name, route->domain);

    json_object_object_add(data, "queue_id", json_object_new_string(queue_id));
    json_object_object_add(data, "route", json_object_new_string(name));
    if (!output_json(cli, data))
        printf("taken for route %s, queue id %s: outrider explain %s\n", name, queue_id, queue_id);
}

gboolean message_inject(Cli *cli, GError **error)
{
    const Config *config = cli_config(cli, error);
    const char *option = command_option(cli, "from"), *raw = command_option(cli, "raw");
    g_autofree char *to = address_form(cli->arguments[0]);
    g_autofree char *usual = NULL;

    if (!config)
        return FALSE;
    if (!to || *to == '@')
        return invalid(error, "address: it is no mail address");
    usual = g_strdup_printf("postmaster@%s", config_string(config, CONFIG_HOSTNAME));
    g_autofree char *from = address_form(option ? option : usual);
    if (!from || *from == '@')
        return invalid(error, "from: it is no mail address");
    g_autoptr(EdgeRoute) route = find_route(config, to, error);
    if (!route)
        return FALSE;
    g_autoptr(Submission) message =
        raw ? read_message(config, raw, error) : make_trial(config, from, to, error);
    g_autofree char *queue_id = message ? hand_over(config, message, from, to, error) : NULL;
    if (queue_id)
        print(cli, route, queue_id);
    return queue_id != NULL;
}
