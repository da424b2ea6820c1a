/* SPDX-License-Identifier: MIT */
#include "worker/event_field.h"

#include <string.h>

#include "lib/base/address.h"
#include "lib/base/error.h"
#include "lib/base/id.h"
#include "lib/base/suppression.h"
#include "lib/seal/digest.h"

#define NAME_SIZE 32

Json *event_field_lookup(Json *object, const char *path)
{
    const char *dot = strchr(path, '.');
    char name[NAME_SIZE];

    if (dot) {
        g_strlcpy(name, path, MIN(sizeof(name), (gsize)(dot - path) + 1));
        object = json_object_object_get(object, name);
        path = dot + 1;
    }
    return json_object_object_get(object, path);
}

gboolean event_field_refuse(GError **error, const char *path, const char *allowed)
{
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "%s: %s", path, allowed);
    return FALSE;
}

char *event_field_cut(const char *text, guint max)
{
    char *valid = g_utf8_make_valid(text, -1);

    if (g_utf8_strlen(valid, -1) > (glong)max)
        *g_utf8_offset_to_pointer(valid, max) = '\0';
    return valid;
}

static const char *keep(GPtrArray *texts, char *text)
{
    g_ptr_array_add(texts, text);
    return text;
}

/* The text itself when it fits, as nearly all do; else a copy that does. */
static const char *fit(GPtrArray *texts, const char *text, guint max)
{
    gsize length = strlen(text);

    if (length <= max && g_utf8_validate(text, (gssize)length, NULL))
        return text;
    return keep(texts, event_field_cut(text, max));
}

/* NULL: it has none. */
static const char *domain_of(GPtrArray *texts, const char *address)
{
    char *domain = address_domain(address);

    return domain ? keep(texts, domain) : NULL;
}

/* As suppressions have it; "": it could not be one. */
static const char *recipient_of(GPtrArray *texts, const char *address)
{
    char *recipient = suppression_address(address);

    return recipient ? keep(texts, recipient) : "";
}

static gboolean bind_number(const EventField *field, Json *value, guint index, SqlParameter *out,
                            GError **error)
{
    if (value && !json_object_is_type(value, json_type_int))
        return event_field_refuse(error, field->path, "must be a whole number");
    gint64 number = value ? json_object_get_int64(value) : 0;
    gboolean is_id = field->kind == EVENT_FIELD_ID_OF_EACH;
    if (field->kind == EVENT_FIELD_SIGNED || field->kind == EVENT_FIELD_SECONDS) {
        *out = SQL_INT(field->kind == EVENT_FIELD_SECONDS ? number / G_USEC_PER_SEC : number);
        return TRUE;
    }
    if (number < 0 || ((field->kind == EVENT_FIELD_NEED || is_id) && number == 0))
        return event_field_refuse(error, field->path, "must be a positive whole number");
    if (is_id)
        *out = SQL_UNSIGNED(id_at((guint64)number, index));
    else
        *out = value || g_str_equal(field->path, "server") ? SQL_UNSIGNED(number) : SQL_NULL;
    return TRUE;
}

static gboolean bind_word(const EventField *field, Json *value, SqlParameter *out, GError **error)
{
    const char *text = value ? json_object_get_string(value) : field->absent;

    if (!g_strv_contains(field->words, text)) {
        g_autofree char *allowed = g_strjoinv(", ", (char **)(guintptr)field->words);
        return event_field_refuse(error, field->path, allowed);
    }
    *out = SQL_TEXT(text);
    return TRUE;
}

static gboolean bind_text(const EventField *field, Json *value, GPtrArray *texts, SqlParameter *out,
                          GError **error)
{
    gboolean is_domain =
        field->kind == EVENT_FIELD_DOMAIN_OF || field->kind == EVENT_FIELD_DOMAIN_OF_EACH;

    if (!value) {
        *out = SQL_TEXT(field->absent);
        return TRUE;
    }
    if (field->kind == EVENT_FIELD_LIST) {
        const char *plain = json_object_to_json_string_ext(
            value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
        *out = SQL_TEXT(fit(texts, plain, field->max));
        return TRUE;
    }
    if (!json_object_is_type(value, json_type_string) && !json_object_is_type(value, json_type_int))
        return event_field_refuse(error, field->path, "must be a text");
    const char *text = json_object_get_string(value);
    if (field->kind == EVENT_FIELD_RECIPIENT)
        *out = SQL_TEXT(recipient_of(texts, text));
    else
        *out = SQL_TEXT(is_domain ? domain_of(texts, text) : fit(texts, text, field->max));
    return TRUE;
}

/* The same client at the same link within a second is the same visit. */
static guint64 visit_of(const char *kind, Json *event)
{
    static const char *const paths[] = {"ordinal", "ip", "ua", "method"};
    g_autoptr(Digest) digest = digest_new();
    g_autofree char *second =
        g_strdup_printf("%" G_GINT64_FORMAT,
                        json_object_get_int64(event_field_lookup(event, "at")) / G_USEC_PER_SEC);

    digest_add_text(digest, kind);
    digest_add_text(digest, second);
    for (guint i = 0; i < G_N_ELEMENTS(paths); i++) {
        const char *text = json_object_get_string(event_field_lookup(event, paths[i]));
        digest_add_text(digest, text ? text : "");
    }
    return digest_finish_number(digest);
}

gboolean event_field_bind(const EventField *field, Json *event, guint index, GPtrArray *texts,
                          SqlParameter *out, GError **error)
{
    if (field->kind == EVENT_FIELD_CONSTANT) {
        *out = SQL_TEXT(field->path);
        return TRUE;
    }
    if (field->kind == EVENT_FIELD_VISIT) {
        *out = SQL_UNSIGNED(visit_of(field->path, event));
        return TRUE;
    }
    Json *value = event_field_lookup(event, field->path);
    switch (field->kind) {
    case EVENT_FIELD_NUMBER:
    case EVENT_FIELD_NEED:
    case EVENT_FIELD_SIGNED:
    case EVENT_FIELD_SECONDS:
    case EVENT_FIELD_ID_OF_EACH:
        return bind_number(field, value, index, out, error);
    case EVENT_FIELD_FLAG:
        *out = SQL_UNSIGNED(json_object_get_boolean(value));
        return TRUE;
    case EVENT_FIELD_WORD:
        return bind_word(field, value, out, error);
    case EVENT_FIELD_TEXT_OF_EACH:
    case EVENT_FIELD_DOMAIN_OF_EACH:
        if (value && !json_object_is_type(value, json_type_array))
            return event_field_refuse(error, field->path, "must be a list");
        value = value ? json_object_array_get_idx(value, index) : NULL;
        break;
    default:
        break;
    }
    return bind_text(field, value, texts, out, error);
}
