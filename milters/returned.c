/* SPDX-License-Identifier: MIT */
#include "milters/returned.h"

#include <string.h>

#include "lib/edge/edge_route.h"
#include "lib/log/log.h"
#include "lib/mime/field.h"
#include "lib/mime/received.h"
#include "lib/mime/report.h"
#include "lib/store/store.h"
#include "milters/effect.h"
#include "milters/incoming.h"

#define FAILED       "failed"
#define FORWARDS_MAX 100 /* more than Received fields may be */
#define STORED_MAX   ((gsize)1 << 30)

typedef struct {
    SMFICTX *context;
    Session *session;
    Shared *shared;
    const char *queue_id;
    ReturnPath path;
    MimeReport report;
    gboolean is_report, is_local;
} Returned;

/* Postfix writes no client into the Received field of what it made itself. */
static gboolean is_local(const Message *message)
{
    const char *value = mime_fields_nth(message->fields, "Received", 1);
    g_auto(MimeReceived) received = {0};

    if (value)
        mime_received_read(value, &received);
    return value && !received.ip && received.queue_id && !*message->mail_from;
}

static gboolean record(const Returned *returned, GError **error)
{
    EventSubject subject =
        session_subject(returned->session, returned->shared, NULL, returned->queue_id);

    subject.id = returned->path.id;
    subject.server = returned->path.server;
    g_autofree char *json = event_bounce(&subject, &returned->report);
    JournalEntry entry = {EVENT_BOUNCE, subject.at_us, json, -1};
    log_info(returned->queue_id, "message came back", LOG_ID("id", subject.id),
             LOG_TEXT("action", returned->report.action),
             LOG_TEXT("status", returned->report.status));
    return journal_append(shared_journal(returned->shared), &entry, 1, error);
}

/* Who sent what was forwarded: the first line of its stored octets (milters/effect.c). NULL: not known. g_free. */
static char *stored_sender(const Returned *returned, guint64 id)
{
    const char *spool = config_string(shared_config(returned->shared), CONFIG_SPOOL_DIR);
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) octets = store_read(spool, id, STORED_MAX, NULL, &error);
    gsize length = 0;
    const char *text = octets ? g_bytes_get_data(octets, &length) : NULL;
    const char *begin = EFFECT_STORED_SENDER "<";
    const char *end = text ? memchr(text, '\r', length) : NULL;

    if (!end || !g_str_has_prefix(text, begin) || end[-1] != '>') {
        log_warning(returned->queue_id, "sender of a forwarded message is not known any more",
                    LOG_ID("id", id), LOG_GERROR(error));
        return NULL;
    }
    return g_strndup(text + strlen(begin), (gsize)(end - 1 - text) - strlen(begin));
}

/* What was forwarded several times, as in a loop, has our return paths as senders until the first. */
static char *first_sender(const Returned *returned)
{
    ReturnPath path = returned->path;
    char *sender = stored_sender(returned, path.id);

    for (guint i = 0; sender && i < FORWARDS_MAX; i++) {
        if (!shared_open_path(returned->shared, sender, &path) || path.kind != RETURN_PATH_FORWARD)
            return sender;
        g_free(sender);
        sender = stored_sender(returned, path.id);
    }
    g_free(sender);
    return NULL;
}

/* TRUE: it goes on to who sent what was forwarded. */
static gboolean send_on(const Returned *returned, GError **error)
{
    g_autofree char *sender = first_sender(returned);
    g_autoptr(GPtrArray) list = g_ptr_array_new();

    if (!sender || !*sender)
        return FALSE;
    g_ptr_array_add(list, sender);
    log_info(returned->queue_id, "notification goes on to the sender",
             LOG_ID("id", returned->path.id), LOG_TEXT("rcpt", sender));
    return effect_recipients(returned->context, returned->session->message, list, error);
}

static ReturnedVerdict to_route(const Returned *returned, RefusalName *refusal)
{
    g_autoptr(EdgeRoute) route = NULL;
    g_autoptr(GError) error = NULL;

    if (!edge_route_of_return_path(shared_edge(returned->shared), returned->path.server, &route,
                                   &error)) {
        *refusal = refusal_of_trouble(error);
        return RETURNED_TAKEN;
    }
    if (!route) {
        log_info(returned->queue_id, "mail to a return path dropped: no notification of a failure",
                 LOG_ID("id", returned->path.id));
        return RETURNED_DROPPED;
    }
    *refusal = incoming_take_for(returned->context, returned->session, returned->shared,
                                 returned->queue_id, route);
    return RETURNED_TAKEN;
}

static ReturnedVerdict judge(Returned *returned, RefusalName *refusal, GError **error)
{
    const gboolean failed = returned->is_report && g_strcmp0(returned->report.action, FAILED) == 0;

    if (failed && !returned->is_local && returned->path.kind != RETURN_PATH_SUBMISSION &&
        !record(returned, error)) {
        *refusal = refusal_of_trouble(*error);
        return RETURNED_TAKEN;
    }
    if (returned->path.kind == RETURN_PATH_FORWARD && returned->is_report &&
        send_on(returned, error))
        return RETURNED_TAKEN;
    if (*error) {
        *refusal = refusal_of_trouble(*error);
        return RETURNED_TAKEN;
    }
    return failed || returned->is_local ? RETURNED_DROPPED : to_route(returned, refusal);
}

ReturnedVerdict returned_take(SMFICTX *context, Session *session, Shared *shared,
                              const char *queue_id, RefusalName *refusal)
{
    const Message *message = session->message;
    Returned returned = {
        .context = context, .session = session, .shared = shared, .queue_id = queue_id};
    g_autoptr(GError) error = NULL;

    if (message->rcpts->len != 1 ||
        !shared_open_path(shared, message_rcpt(message), &returned.path))
        return RETURNED_NOT;
    *refusal = REFUSAL_NONE;
    returned.is_local = is_local(message);
    returned.is_report = message->body && mime_report_read(message->fields, message->body->str,
                                                           message->body->len, &returned.report);
    ReturnedVerdict verdict = judge(&returned, refusal, &error);
    if (*refusal != REFUSAL_NONE)
        log_error(queue_id, "mail to a return path cannot be taken now", LOG_GERROR(error));
    mime_report_clear(&returned.report);
    return verdict;
}
