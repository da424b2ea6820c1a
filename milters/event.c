/* SPDX-License-Identifier: MIT */
#include "milters/event.h"

#include <json-c/json.h>

#include "lib/journal/event_json.h"
#include "lib/mime/field.h"

#define SUBJECT_MAX 200

static void add_texts(json_object *object, const char *key, const GPtrArray *texts)
{
    json_object *array = json_object_new_array();

    for (guint i = 0; i < texts->len; i++)
        json_object_array_add(array, event_json_text_new(texts->pdata[i]));
    json_object_object_add(object, key, array);
}

static json_object *begin(const EventSubject *subject)
{
    json_object *object = event_json_begin(subject->node, subject->at_us);

    if (subject->server)
        event_json_number(object, "server", subject->server);
    return object;
}

static void add_client(json_object *object, const Client *client)
{
    json_object *inner = json_object_new_object();

    event_json_text(inner, "ip", client->ip);
    event_json_text(inner, "port", client->port);
    event_json_text(inner, "helo", client->helo);
    event_json_text(inner, "ptr", client->ptr);
    event_json_text(inner, "tls", client->tls);
    event_json_text(inner, "auth", client->auth);
    json_object_object_add(object, "client", inner);
}

static void add_envelope(json_object *object, const EventSubject *subject)
{
    if (subject->credential_id) /* what comes in has none */
        event_json_number(object, "credential", subject->credential_id);
    event_json_text(object, "queue_id", subject->queue_id);
    if (subject->message)
        event_json_text(object, "mail_from", subject->message->mail_from);
}

char *event_admitted(const EventSubject *subject, gboolean hop)
{
    json_object *object = begin(subject);
    json_object *rcpts = json_object_new_array();
    const GPtrArray *list = subject->message->rcpts;

    event_json_number(object, "base", subject->id);
    event_json_number(object, "n", list->len);
    add_envelope(object, subject);
    for (guint i = 0; i < list->len; i++) {
        const Recipient *recipient = list->pdata[i];
        json_object_array_add(rcpts, event_json_text_new(recipient->address));
    }
    json_object_object_add(object, "rcpts", rcpts);
    add_client(object, subject->client);
    event_json_flag(object, "hop", hop);
    return event_json_finish(object);
}

/* What a credential handed in has none. */
static void add_origin(json_object *object, const EventAccepted *accepted)
{
    if (!accepted->origin.route)
        return;
    event_json_text(object, "direction", "incoming");
    event_json_number(object, "route", accepted->origin.route);
    if (accepted->origin.endpoint)
        event_json_number(object, "endpoint", accepted->origin.endpoint);
    event_json_text(object, "to", accepted->to);
}

char *event_accepted(const EventSubject *subject, const EventAccepted *accepted)
{
    json_object *object = begin(subject);
    const GPtrArray *fields = subject->message->fields;
    const char *subject_value = mime_fields_nth(fields, "Subject", 1);
    const char *id_value = mime_fields_nth(fields, "Message-ID", 1);
    g_autofree char *title = subject_value ? mime_field_decoded(subject_value, SUBJECT_MAX) : NULL;
    g_autofree char *message_id = id_value ? mime_field_text(id_value) : NULL;

    event_json_number(object, "id", subject->id);
    event_json_number(object, "base", accepted->base);
    event_json_text(object, "token", accepted->token);
    add_envelope(object, subject);
    event_json_text(object, "return_path", accepted->return_path);
    event_json_text(object, "rcpt", message_rcpt(subject->message));
    event_json_text(object, "from", accepted->from);
    event_json_text(object, "subject", title);
    event_json_text(object, "message_id", message_id);
    event_json_number(object, "size", accepted->size);
    event_json_number(object, "domain", accepted->domain);
    event_json_text(object, "tag", accepted->tag);
    event_json_number(object, "lane", accepted->lane);
    event_json_text(object, "store", accepted->store);
    add_texts(object, "skipped", accepted->skipped);
    add_texts(object, "signed", accepted->labels);
    json_object *tracked = track_json(accepted->tracked);
    if (tracked)
        json_object_object_add(object, "tracked", tracked);
    event_json_flag(object, "hop", accepted->hop);
    add_origin(object, accepted);
    return event_json_finish(object);
}

char *event_bounce(const EventSubject *subject, const MimeReport *report)
{
    json_object *object = begin(subject);
    const char *said = report->diagnostic ? report->diagnostic : "";
    const char *status = report->status && !strstr(said, report->status) ? report->status : "";
    g_autofree char *reason =
        g_strdup_printf("bounced: %s%s%s", status, *status && *said ? " " : "", said);

    event_json_number(object, "id", subject->id);
    event_json_text(object, "notification", subject->queue_id);
    event_json_text(object, "action", report->action);
    event_json_text(object, "status", report->status);
    event_json_text(object, "final_recipient", report->recipient);
    event_json_text(object, "remote", report->remote);
    event_json_text(object, "reason", reason);
    return event_json_finish(object);
}

static void add_refusal(json_object *object, const EventSubject *subject, const Refusal *refusal)
{
    g_autofree char *code = g_strdup_printf("%s %s", refusal->code, refusal->enhanced);

    event_json_number(object, "id", subject->id);
    add_envelope(object, subject);
    if (subject->message)
        event_json_text(object, "rcpt", message_rcpt(subject->message));
    event_json_text(object, "code", code);
    event_json_text(object, "text", refusal->text);
    event_json_text(object, "rule", refusal->rule);
}

char *event_refused(const EventSubject *subject, const Refusal *refusal)
{
    json_object *object = begin(subject);

    add_refusal(object, subject, refusal);
    add_client(object, subject->client);
    return event_json_finish(object);
}

char *event_discarded(const EventSubject *subject, guint64 base, const Refusal *refusal)
{
    json_object *object = begin(subject);

    event_json_number(object, "base", base);
    add_refusal(object, subject, refusal);
    return event_json_finish(object);
}
