/* SPDX-License-Identifier: MIT */
#include "milters/event.h"

#include <json-c/json.h>

#include "lib/mime/field.h"

#define TEXT_MAX    1024
#define SUBJECT_MAX 200

static void add_number(json_object *object, const char *key, guint64 number)
{
    json_object_object_add(object, key, json_object_new_int64((gint64)number));
}

static json_object *text_new(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    g_autofree char *cut = g_utf8_substring(valid, 0, MIN(TEXT_MAX, g_utf8_strlen(valid, -1)));

    return json_object_new_string(cut);
}

static void add_text(json_object *object, const char *key, const char *text)
{
    if (text)
        json_object_object_add(object, key, text_new(text));
}

static void add_texts(json_object *object, const char *key, const GPtrArray *texts)
{
    json_object *array = json_object_new_array();

    for (guint i = 0; i < texts->len; i++)
        json_object_array_add(array, text_new(texts->pdata[i]));
    json_object_object_add(object, key, array);
}

static json_object *begin(const EventSubject *subject)
{
    json_object *object = json_object_new_object();

    add_number(object, "v", 1);
    add_number(object, "node", subject->node);
    add_number(object, "at", (guint64)subject->at_us);
    if (subject->server)
        add_number(object, "server", subject->server);
    return object;
}

static char *finish(json_object *object)
{
    char *text = g_strdup(json_object_to_json_string_ext(
        object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(object);
    return text;
}

static void add_client(json_object *object, const Client *client)
{
    json_object *inner = json_object_new_object();

    add_text(inner, "ip", client->ip);
    add_text(inner, "port", client->port);
    add_text(inner, "helo", client->helo);
    add_text(inner, "ptr", client->ptr);
    add_text(inner, "tls", client->tls);
    add_text(inner, "auth", client->auth);
    json_object_object_add(object, "client", inner);
}

static void add_envelope(json_object *object, const EventSubject *subject)
{
    if (subject->credential_id) /* what comes in has none */
        add_number(object, "credential", subject->credential_id);
    add_text(object, "queue_id", subject->queue_id);
    if (subject->message)
        add_text(object, "mail_from", subject->message->mail_from);
}

static void add_flag(json_object *object, const char *key, gboolean set)
{
    if (set)
        json_object_object_add(object, key, json_object_new_boolean(TRUE));
}

char *event_admitted(const EventSubject *subject, gboolean hop)
{
    json_object *object = begin(subject);
    json_object *rcpts = json_object_new_array();
    const GPtrArray *list = subject->message->rcpts;

    add_number(object, "base", subject->id);
    add_number(object, "n", list->len);
    add_envelope(object, subject);
    for (guint i = 0; i < list->len; i++) {
        const Recipient *recipient = list->pdata[i];
        json_object_array_add(rcpts, text_new(recipient->address));
    }
    json_object_object_add(object, "rcpts", rcpts);
    add_client(object, subject->client);
    add_flag(object, "hop", hop);
    return finish(object);
}

/* What a credential handed in has none. */
static void add_origin(json_object *object, const EventAccepted *accepted)
{
    if (!accepted->origin.route)
        return;
    add_text(object, "direction", "incoming");
    add_number(object, "route", accepted->origin.route);
    if (accepted->origin.endpoint)
        add_number(object, "endpoint", accepted->origin.endpoint);
    add_text(object, "to", accepted->to);
}

char *event_accepted(const EventSubject *subject, const EventAccepted *accepted)
{
    json_object *object = begin(subject);
    const GPtrArray *fields = subject->message->fields;
    const char *subject_value = mime_fields_nth(fields, "Subject", 1);
    const char *id_value = mime_fields_nth(fields, "Message-ID", 1);
    g_autofree char *title = subject_value ? mime_field_decoded(subject_value, SUBJECT_MAX) : NULL;
    g_autofree char *message_id = id_value ? mime_field_text(id_value) : NULL;

    add_number(object, "id", subject->id);
    add_number(object, "base", accepted->base);
    add_text(object, "token", accepted->token);
    add_envelope(object, subject);
    add_text(object, "return_path", accepted->return_path);
    add_text(object, "rcpt", message_rcpt(subject->message));
    add_text(object, "from", accepted->from);
    add_text(object, "subject", title);
    add_text(object, "message_id", message_id);
    add_number(object, "size", accepted->size);
    add_number(object, "domain", accepted->domain);
    add_text(object, "tag", accepted->tag);
    add_number(object, "lane", accepted->lane);
    add_text(object, "store", accepted->store);
    add_texts(object, "skipped", accepted->skipped);
    add_texts(object, "signed", accepted->labels);
    json_object *tracked = track_json(accepted->tracked);
    if (tracked)
        json_object_object_add(object, "tracked", tracked);
    add_flag(object, "hop", accepted->hop);
    add_origin(object, accepted);
    return finish(object);
}

char *event_bounce(const EventSubject *subject, const MimeReport *report)
{
    json_object *object = begin(subject);
    const char *said = report->diagnostic ? report->diagnostic : "";
    const char *status = report->status && !strstr(said, report->status) ? report->status : "";
    g_autofree char *reason =
        g_strdup_printf("bounced: %s%s%s", status, *status && *said ? " " : "", said);

    add_number(object, "id", subject->id);
    add_text(object, "notification", subject->queue_id);
    add_text(object, "action", report->action);
    add_text(object, "status", report->status);
    add_text(object, "final_recipient", report->recipient);
    add_text(object, "remote", report->remote);
    add_text(object, "reason", reason);
    return finish(object);
}

static void add_refusal(json_object *object, const EventSubject *subject, const Refusal *refusal)
{
    g_autofree char *code = g_strdup_printf("%s %s", refusal->code, refusal->enhanced);

    add_number(object, "id", subject->id);
    add_envelope(object, subject);
    if (subject->message)
        add_text(object, "rcpt", message_rcpt(subject->message));
    add_text(object, "code", code);
    add_text(object, "text", refusal->text);
    add_text(object, "rule", refusal->rule);
}

char *event_refused(const EventSubject *subject, const Refusal *refusal)
{
    json_object *object = begin(subject);

    add_refusal(object, subject, refusal);
    add_client(object, subject->client);
    return finish(object);
}

char *event_discarded(const EventSubject *subject, guint64 base, const Refusal *refusal)
{
    json_object *object = begin(subject);

    add_number(object, "base", base);
    add_refusal(object, subject, refusal);
    return finish(object);
}
