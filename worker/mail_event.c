/* SPDX-License-Identifier: MIT */
#include "worker/mail_event.h"

#include <json-c/json.h>
#include <string.h>

#include "lib/journal/event_json.h"
#include "lib/seal/digest.h"
#include "lib/wire/reply.h"

/* Octets of the log are made valid UTF-8; absent texts stay absent. */
static void add_mail_text(json_object *event, const char *key, MailText text)
{
    if (!text.data)
        return;
    g_autofree char *whole = g_utf8_make_valid(text.data, (gssize)text.length);
    if (strlen(whole) > MAIL_EVENT_TEXT_MAX) {
        const char *cut = g_utf8_find_prev_char(whole, whole + MAIL_EVENT_TEXT_MAX + 1);
        whole[cut - whole] = '\0';
    }
    json_object_object_add(event, key, json_object_new_string(whole));
}

guint64 mail_event_attempt(const MailLine *line)
{
    g_autoptr(Digest) digest = digest_new();

    digest_add(digest, line->stamp.data, line->stamp.length);
    digest_add(digest, "", 1);
    digest_add(digest, line->record.data, line->record.length);
    return digest_finish_number(digest);
}

/* What came in and goes nowhere is not sent; of what goes out, discard(8) is a way like others. */
static const char *status_name(const MailLine *line, const QueueEntry *about)
{
    switch (line->status) {
    case MAIL_STATUS_SENT:
        return mail_line_is_discard(line) && about->said & QUEUE_SAID_INCOMING ? "Processed"
                                                                               : "Sent";
    case MAIL_STATUS_DEFERRED:
        return "SoftFail";
    case MAIL_STATUS_BOUNCED:
    case MAIL_STATUS_EXPIRED:
        return "HardFail";
    case MAIL_STATUS_OTHER:
        break;
    }
    return NULL;
}

static gboolean is_delivery(const MailLine *line)
{
    return line->kind == MAIL_LINE_DELIVERY || line->kind == MAIL_LINE_EXPIRED;
}

static gboolean is_held(const MailLine *line)
{
    return line->kind == MAIL_LINE_HELD || line->kind == MAIL_LINE_PLACED;
}

static gboolean find_type(const MailLine *line, const QueueEntry *about, EventType *type)
{
    if (line->kind == MAIL_LINE_QUEUED || line->kind == MAIL_LINE_HELD)
        *type = about->n > 0 ? EVENT_SUBMISSION_QUEUED : EVENT_MESSAGE_QUEUED;
    else if (about->n > 0)
        return FALSE;
    else if (is_delivery(line) && status_name(line, about))
        *type = EVENT_DELIVERY_ATTEMPT;
    else if (line->kind == MAIL_LINE_REMOVED)
        *type = EVENT_MESSAGE_REMOVED;
    else if (line->kind == MAIL_LINE_PLACED)
        *type = EVENT_MESSAGE_QUEUED;
    else if (line->kind == MAIL_LINE_RELEASED)
        *type = EVENT_HOLD_RELEASED;
    else if (line->kind == MAIL_LINE_DELETED)
        *type = EVENT_HOLD_CANCELLED;
    else
        return FALSE;
    return TRUE;
}

/* By itself, that is: not because an admin would have it expire. */
static gboolean is_given_up(const MailLine *line)
{
    return line->kind == MAIL_LINE_EXPIRED && line->text.length > 0 && line->text.data[0] == 'e';
}

/* Of what came in the recipient is the server's own: nobody gets suppressed by it. */
static gboolean is_incoming(const MailEventFacts *facts)
{
    return (facts->about.said & QUEUE_SAID_INCOMING) != 0;
}

/* What a refusal is about, as far as it can be told. */
static void add_class(json_object *event, const MailLine *line, const char *text)
{
    g_autofree char *dsn = g_strndup(line->dsn.data ? line->dsn.data : "", line->dsn.length);
    g_autofree char *relay =
        g_strndup(line->relay.data ? line->relay.data : "", line->relay.length);
    ReplyVerdict verdict;

    reply_judge(text, dsn, relay, &verdict);
    if (verdict.class != REPLY_NONE)
        event_json_text(event, "class", reply_class_name(verdict.class));
}

static void add_delivery(json_object *event, const MailLine *line, const MailEventFacts *facts)
{
    event_json_number(event, "attempt", mail_event_attempt(line));
    event_json_text(event, "status", status_name(line, &facts->about));
    add_mail_text(event, "rcpt", line->to);
    add_mail_text(event, "relay", line->relay);
    add_mail_text(event, "dsn", line->dsn);
    if (line->code)
        event_json_number(event, "code", line->code);
    if (line->kind == MAIL_LINE_EXPIRED)
        event_json_text(event, "text", "expired in Postfix's queue, returned to sender");
    else
        add_mail_text(event, "text", line->text);
    const char *text = json_object_get_string(json_object_object_get(event, "text"));
    if (line->status != MAIL_STATUS_SENT && text && !is_incoming(facts))
        add_class(event, line, text);
    if (is_given_up(line) && !is_incoming(facts))
        json_object_object_add(event, "gave_up", json_object_new_boolean(TRUE));
    event_json_text(event, "source", facts->source);
    event_json_text(event, "helo", facts->helo);
    event_json_text(event, "tls", facts->tls);
    if (line->kind == MAIL_LINE_DELIVERY)
        event_json_number(event, "delay_ms", line->delay_ms);
}

static void add_queued(json_object *event, const MailLine *line, const QueueEntry *about)
{
    if (is_held(line))
        event_json_text(event, "status", "Held");
    if (about->base || about->parent[0])
        event_json_flag(event, "copy", TRUE);
    if (about->parent[0])
        event_json_text(event, "parent", about->parent);
}

char *mail_event_lost(const MailEventLost *lost)
{
    json_object *event = event_json_begin(lost->node, lost->at_us);

    event_json_number(event, "id", lost->id);
    event_json_number(event, "server", lost->server);
    event_json_text(event, "status", lost->status);
    event_json_text(event, "reason", lost->reason);
    return event_json_finish(event);
}

char *mail_event_build(const MailLine *line, const MailEventFacts *facts, EventType *type)
{
    const QueueEntry *about = &facts->about;

    if (!find_type(line, about, type))
        return NULL;
    json_object *event = event_json_begin(facts->node, line->at_us);
    event_json_number(event, *type == EVENT_SUBMISSION_QUEUED ? "base" : "id", (gint64)about->id);
    if (*type == EVENT_SUBMISSION_QUEUED)
        event_json_number(event, "n", about->n);
    event_json_number(event, "server", about->server);
    add_mail_text(event, "queue_id", line->queue_id);
    if (*type == EVENT_MESSAGE_QUEUED)
        add_queued(event, line, about);
    else if (*type == EVENT_DELIVERY_ATTEMPT)
        add_delivery(event, line, facts);
    else if (*type == EVENT_HOLD_CANCELLED)
        event_json_text(event, "reason", "deleted from Postfix's queue while it was held");
    return event_json_finish(event);
}
