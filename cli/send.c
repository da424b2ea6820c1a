/* SPDX-License-Identifier: MIT */
/*
 * A message from the command line, handed in as the API does it and judged by the same code: on the account of a credential, but
 * without its key, for root needs none. The journal of apid is apid's alone, so nobody tells of a client.
 */
#include "cli/output.h"
#include "cli/send_letter.h"
#include "cli/session.h"
#include "lib/base/error.h"
#include "lib/edge/edge_access.h"
#include "lib/mime/field.h"
#include "lib/submission/sender.h"

/* The API's code and words, or text in place of these. Always FALSE. */
static gboolean refuse(GError **error, V1Error name, const char *text)
{
    const V1ErrorWords *words = v1_error_words(name);
    gboolean well_formed = name < V1_ERROR_PARAMETER || name == V1_ERROR_UNAUTHENTICATED_FROM ||
                           name == V1_ERROR_REFUSED;

    if (!text)
        text = words->message;
    g_set_error(error, OUTRIDER_ERROR,
                well_formed ? OUTRIDER_ERROR_REFUSED : OUTRIDER_ERROR_INVALID, "%s%s%s",
                words->code ? words->code : words->status, text ? ": " : "", text ? text : "");
    return FALSE;
}

/* The only one of type api. NULL: there is none, or there are several. */
static Record *find_usual(Sql *sql, const char *server, GError **error)
{
    g_autoptr(Record) list = directory_list(sql, DIRECTORY_CREDENTIAL, server, error);
    Record *found = NULL;
    guint n = 0;

    if (!list)
        return NULL;
    for (gsize i = 0; i < json_object_array_length(list); i++) {
        Record *one = json_object_array_get_idx(list, i);
        if (g_strcmp0(record_text(one, "type"), "api") == 0 && n++ == 0)
            found = one;
    }
    if (n == 1)
        return json_object_get(found);
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID,
                "credential: %s has %u of type api; say --credential NAME", server, n);
    return NULL;
}

static EdgeCredential *find_credential(Cli *cli, Edge *edge, GError **error)
{
    Sql *sql = cli_sql(cli, error);
    const char *server = cli->arguments[0], *name = command_option(cli, "credential");
    const char *const names[] = {server, name, NULL};
    g_autoptr(GError) why = NULL;

    if (!sql)
        return NULL;
    g_autoptr(Record) record = name ? directory_show(sql, DIRECTORY_CREDENTIAL, names, error)
                                    : find_usual(sql, server, error);
    if (!record)
        return NULL;
    EdgeCredential *found = edge_credential_by_id(edge, (guint32)record_int(record, "id"), &why);
    if (found)
        return found;
    if (g_error_matches(why, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND))
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE,
                    "credential %s is not in this host's replica yet", record_text(record, "name"));
    else
        g_propagate_error(error, g_steal_pointer(&why));
    return NULL;
}

static gboolean judge_credential(const EdgeCredential *credential, GError **error)
{
    const char *unusable = edge_credential_unusable(credential, g_get_real_time() / G_USEC_PER_SEC);

    if (unusable) {
        g_autofree char *text = g_strdup_printf("The credential is %s", unusable);
        return refuse(error, V1_ERROR_INVALID_KEY, text);
    }
    if (credential->server_suspended || credential->organization_suspended)
        return refuse(error, V1_ERROR_SUSPENDED, "The mail server is suspended");
    return TRUE;
}

static V1Error lacking(const Letter *letter)
{
    for (guint i = 0; i < letter->files->len; i++)
        if (letter_file_is_blank(letter->files->pdata[i]))
            return V1_ERROR_ATTACHMENT_DATA;
    return V1_ERROR_NONE;
}

/* *later is told only if From is good. */
static Submission *compose(const Cli *cli, const Config *config, const SubmissionNames *names,
                           V1Error *later, GError **error)
{
    g_autoptr(Letter) letter =
        send_letter_read(cli, (gsize)config_int(config, CONFIG_MESSAGE_SIZE_MAX), error);
    g_autofree char *date = mime_date(g_get_real_time() / G_USEC_PER_SEC), *text = NULL;
    g_autofree char *received = g_strdup_printf(" by %s (outrider send);\r\n %s",
                                                config_string(config, CONFIG_HOSTNAME), date);
    const LetterStamp stamp = {names->message_id, received, date};
    V1Error wrong = V1_ERROR_NONE;

    if (!letter)
        return NULL;
    *later = letter_error(letter, lacking(letter));
    if (*later != V1_ERROR_NONE && *later < V1_ERROR_UNAUTHENTICATED_FROM)
        return refuse(error, *later, NULL), NULL;
    Submission *made = letter_compose(letter, &stamp, &wrong, &text);
    if (!made)
        refuse(error, wrong, text);
    return made;
}

static gboolean judge(Sender *sender, const EdgeCredential *credential,
                      const Submission *submission, V1Error later, GError **error)
{
    g_autoptr(GError) why = NULL;
    g_autofree char *text = NULL;
    V1Error wrong = sender_judge(sender, credential, submission, later, &text, &why);

    if (!why)
        return wrong == V1_ERROR_NONE || refuse(error, wrong, text);
    g_propagate_error(error, g_steal_pointer(&why));
    return FALSE;
}

/* Queue id; NULL: it is not sent, or nobody knows. */
static char *hand_over(Sender *sender, const EdgeCredential *credential,
                       const Submission *submission, const SubmissionNames *names, GError **error)
{
    g_autoptr(GError) why = NULL;
    char *queue_id = sender_send(sender, credential, NULL, submission, names, &why);

    if (queue_id)
        return queue_id;
    if (g_error_matches(why, OUTRIDER_ERROR, OUTRIDER_ERROR_REFUSED))
        return refuse(error, V1_ERROR_REFUSED, why->message), NULL;
    if (g_error_matches(why, OUTRIDER_ERROR, OUTRIDER_ERROR_UNKNOWN_RESULT))
        g_prefix_error(
            &why, "Postfix may have it, so look at outrider explain %" G_GUINT64_FORMAT " first: ",
            names->base);
    g_propagate_error(error, g_steal_pointer(&why));
    return NULL;
}

static void print(const Cli *cli, const Submission *submission, const SubmissionNames *names,
                  const char *queue_id)
{
    g_autoptr(Record) data = submission_data(submission, names);
    g_autoptr(Record) rows = json_object_new_array();

    json_object_object_add(data, "queue_id", json_object_new_string(queue_id));
    if (output_json(cli, data))
        return;
    json_object_object_foreach(json_object_object_get(data, "messages"), address, message)
    {
        Record *row = json_object_new_object();
        json_object_object_add(row, "id", json_object_get(json_object_object_get(message, "id")));
        json_object_object_add(row, "token",
                               json_object_get(json_object_object_get(message, "token")));
        json_object_object_add(row, "queue_id", json_object_new_string(queue_id));
        json_object_object_add(row, "rcpt_to", json_object_new_string(address));
        json_object_array_add(rows, row);
    }
    output_table(rows, "id token queue_id rcpt_to");
}

gboolean send_mail(Cli *cli, GError **error)
{
    const Config *config = cli_config(cli, error);
    gsize max = config ? (gsize)config_int(config, CONFIG_MESSAGE_SIZE_MAX) : 0;
    g_autoptr(Sender) sender = config ? sender_open(config, NULL, error) : NULL;
    g_autoptr(EdgeCredential) credential =
        sender ? find_credential(cli, sender_edge(sender), error) : NULL;
    SubmissionNames names = {0};
    V1Error later = V1_ERROR_NONE;

    if (!credential || !judge_credential(credential, error))
        return FALSE;
    sender_message_id(sender, &names);
    g_autoptr(Submission) submission = command_option(cli, "raw")
                                           ? send_raw_read(cli, max, error)
                                           : compose(cli, config, &names, &later, error);
    if (!submission || !judge(sender, credential, submission, later, error))
        return FALSE;
    if (submission->rcpts->len == 0)
        return refuse(error, V1_ERROR_NO_RECIPIENTS, NULL);
    if (!sender_reserve(sender, submission->rcpts->len, &names, error))
        return FALSE;
    g_autofree char *queue_id = hand_over(sender, credential, submission, &names, error);
    if (queue_id)
        print(cli, submission, &names, queue_id);
    return queue_id != NULL;
}
