/* SPDX-License-Identifier: MIT */
#include "milters/returned.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/edge/edge_route.h"
#include "lib/log/log.h"
#include "lib/mime/field.h"
#include "lib/mime/received.h"
#include "lib/mime/report.h"
#include "lib/store/store.h"
#include "milters/effect.h"
#include "milters/incoming.h"
#include "milters/lanes.h"
#include "milters/recall.h"

#define FAILED       "failed"
#define DELAYED      "delayed"
#define FORWARDS_MAX 100  /* more than Received fields may be */
#define SENDER_MAX   4096 /* of its stored file; an address is far shorter */

typedef struct {
    SMFICTX *context;
    Session *session;
    Shared *shared;
    const char *queue_id;
    ReturnPath path;
    MimeReport report;
    gboolean failed, tells; /* that it failed, or that or a delay */
    gboolean is_local;
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

static gboolean record(const Returned *returned, const ReturnPath *path, GError **error)
{
    EventSubject subject =
        session_subject(returned->session, returned->shared, NULL, returned->queue_id);

    subject.id = path->id;
    subject.server = path->server;
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
    g_autoptr(GBytes) octets = store_read_begin(spool, id, SENDER_MAX, &error);
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

/* Whoever sees a forwarded message sees its return path: so its sender is told once, whatever comes to it. g_free. */
static char *told_key(const Returned *returned)
{
    return g_strdup_printf("told %" G_GUINT64_FORMAT " %s", returned->path.id,
                           returned->report.action);
}

/* That of its server's mail; of one that is gone, the default. */
static gboolean find_way(const Returned *returned, LanesWay *way, GError **error)
{
    g_autoptr(GError) why = NULL;

    if (lanes_of_server(returned->shared, returned->path.server, returned->session->message,
                        returned->path.id, way, &why) ||
        g_error_matches(why, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND))
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&why));
    return FALSE;
}

/* FALSE: it cannot go on now. */
static gboolean pass_on(const Returned *returned, char *sender, RefusalName *refusal,
                        GError **error)
{
    Session *session = returned->session;
    g_auto(LanesWay) way = {0};

    if (!find_way(returned, &way, error))
        return FALSE;
    if (way.wait) {
        session->reply = g_steal_pointer(&way.wait);
        *refusal = REFUSAL_POOL;
        return FALSE;
    }
    log_info(returned->queue_id, "notification goes on to the sender",
             LOG_ID("id", returned->path.id), LOG_TEXT("rcpt", sender), LOG_INT("lane", way.lane));
    return (!way.header || effect_way(returned->context, way.header, error)) &&
           effect_recipient(returned->context, session->message, sender, error);
}

/* To who sent what was forwarded; of a server of ours that is a message that came back. */
static ReturnedVerdict send_on(const Returned *returned, RefusalName *refusal, GError **error)
{
    Recall *recall = shared_recall(returned->shared);
    g_autofree char *key = told_key(returned);
    g_autofree char *sender = recall_has(recall, key) ? NULL : first_sender(returned);
    ReturnPath path;

    if (!sender || !*sender)
        return RETURNED_DROPPED;
    if (shared_open_path(returned->shared, sender, &path)) {
        if (returned->failed && path.kind == RETURN_PATH_MESSAGE && record(returned, &path, error))
            recall_note(recall, key);
        return RETURNED_DROPPED;
    }
    if (pass_on(returned, sender, refusal, error))
        recall_note(recall, key);
    return RETURNED_TAKEN;
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

/* Of several endpoints' messages that never left the hop, their submission tells. */
static gboolean is_forwarded(const Returned *returned)
{
    return returned->path.kind == RETURN_PATH_FORWARD ||
           (returned->path.kind == RETURN_PATH_SUBMISSION && returned->is_local);
}

static ReturnedVerdict judge(const Returned *returned, RefusalName *refusal, GError **error)
{
    if (returned->failed && !returned->is_local && returned->path.kind != RETURN_PATH_SUBMISSION &&
        !record(returned, &returned->path, error))
        return RETURNED_TAKEN;
    if (returned->tells && is_forwarded(returned))
        return send_on(returned, refusal, error);
    return returned->failed || returned->is_local || returned->path.kind != RETURN_PATH_MESSAGE
               ? RETURNED_DROPPED
               : to_route(returned, refusal);
}

/* Notifications have no sender (RFC 3464 section 2); others may look like one. */
static void read_report(Returned *returned)
{
    const Message *message = returned->session->message;
    MimeReport *report = &returned->report;

    if (*message->mail_from || !message->body ||
        !mime_report_read(message->fields, message->body->str, message->body->len, report))
        return;
    returned->failed = g_str_equal(report->action, FAILED);
    returned->tells = returned->failed || g_str_equal(report->action, DELAYED);
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
    read_report(&returned);
    ReturnedVerdict verdict = judge(&returned, refusal, &error);
    if (error) {
        verdict = RETURNED_TAKEN;
        *refusal = refusal_of_trouble(error);
    }
    if (*refusal != REFUSAL_NONE)
        log_error(queue_id, "mail to a return path cannot be taken now", LOG_GERROR(error));
    mime_report_clear(&returned.report);
    return verdict;
}
