/* SPDX-License-Identifier: MIT */
/*
 * Events become rows by one table, event_row.def. Inside a transaction an event that the server
 * refuses is set aside and the others go on; a lost link or a deadlock ends the whole batch.
 */
#include "worker/event_apply.h"

#include <json-c/json.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/journal/journal.h"

#define FIELDS_MAX 24
#define REASON_MAX 255
#define JSON_DEPTH 16

typedef enum {
    FIELD_END,
    FIELD_NUMBER,
    FIELD_NEED,
    FIELD_SIGNED,
    FIELD_SECONDS,
    FIELD_TEXT,
    FIELD_BLANK,
    FIELD_LIST,
    FIELD_DOMAIN_OF,
    FIELD_CONSTANT,
} FieldKind;

typedef struct {
    FieldKind kind;
    const char *path;
    guint max; /* characters */
} Field;

typedef struct {
    EventType type;
    SqlStatement statement;
    Field fields[FIELDS_MAX];
} EventRow;

#define NUMBER(path)                                                                               \
    {                                                                                              \
        FIELD_NUMBER, path, 0                                                                      \
    }
#define NEED(path)                                                                                 \
    {                                                                                              \
        FIELD_NEED, path, 0                                                                        \
    }
#define SIGNED(path)                                                                               \
    {                                                                                              \
        FIELD_SIGNED, path, 0                                                                      \
    }
#define SECONDS(path)                                                                              \
    {                                                                                              \
        FIELD_SECONDS, path, 0                                                                     \
    }
#define TEXT(path, max)                                                                            \
    {                                                                                              \
        FIELD_TEXT, path, max                                                                      \
    }
#define BLANK(path, max)                                                                           \
    {                                                                                              \
        FIELD_BLANK, path, max                                                                     \
    }
#define LIST(path)                                                                                 \
    {                                                                                              \
        FIELD_LIST, path, 0                                                                        \
    }
#define DOMAIN_OF(path)                                                                            \
    {                                                                                              \
        FIELD_DOMAIN_OF, path, 253                                                                 \
    }
#define CONSTANT(text)                                                                             \
    {                                                                                              \
        FIELD_CONSTANT, text, 0                                                                    \
    }

static const EventRow rows[] = {
#define X(type, statement, ...) {EVENT_##type, statement, {__VA_ARGS__}},
#include "worker/event_row.def"
#undef X
};

typedef struct json_object Json;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Json, json_object_put)

/* "a" or "a.b"; NULL when absent or null. */
static Json *lookup(Json *object, const char *path)
{
    g_auto(GStrv) names = g_strsplit(path, ".", 2);

    for (guint i = 0; names[i]; i++)
        if (!json_object_is_type(object, json_type_object) ||
            !json_object_object_get_ex(object, names[i], &object))
            return NULL;
    return object;
}

static gboolean refuse(GError **error, const char *path, const char *allowed)
{
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "%s: %s", path, allowed);
    return FALSE;
}

/* A copy of at most max characters of valid UTF-8, kept until the pool goes. */
static const char *cut(GPtrArray *pool, const char *text, guint max)
{
    char *valid = g_utf8_make_valid(text, -1);

    if (g_utf8_strlen(valid, -1) > (glong)max)
        *g_utf8_offset_to_pointer(valid, max) = '\0';
    g_ptr_array_add(pool, valid);
    return valid;
}

/* What follows the last @, lower case; NULL when there is none or it does not fit an ASCII name. */
static const char *domain_of(GPtrArray *pool, const char *address, guint max)
{
    const char *at = strrchr(address, '@');

    if (!at || !at[1] || strlen(at + 1) > max || !g_str_is_ascii(at + 1))
        return NULL;
    char *domain = g_ascii_strdown(at + 1, -1);
    g_ptr_array_add(pool, domain);
    return domain;
}

static gboolean bind_number(const Field *field, Json *value, SqlParameter *out, GError **error)
{
    if (value && !json_object_is_type(value, json_type_int))
        return refuse(error, field->path, "must be a whole number");
    gint64 number = value ? json_object_get_int64(value) : 0;
    if (field->kind == FIELD_SIGNED || field->kind == FIELD_SECONDS) {
        *out = SQL_INT(field->kind == FIELD_SECONDS ? number / G_USEC_PER_SEC : number);
        return TRUE;
    }
    if (number < 0 || (field->kind == FIELD_NEED && number == 0))
        return refuse(error, field->path, "must be a positive whole number");
    *out = value || g_str_equal(field->path, "server") ? SQL_UNSIGNED(number) : SQL_NULL;
    return TRUE;
}

static gboolean bind(const Field *field, Json *event, GPtrArray *pool, SqlParameter *out,
                     GError **error)
{
    if (field->kind == FIELD_CONSTANT) {
        *out = SQL_TEXT(field->path);
        return TRUE;
    }
    Json *value = lookup(event, field->path);
    if (field->kind == FIELD_NUMBER || field->kind == FIELD_NEED || field->kind == FIELD_SIGNED ||
        field->kind == FIELD_SECONDS)
        return bind_number(field, value, out, error);
    const char *text = NULL;
    if (value && field->kind == FIELD_LIST)
        text = cut(pool, json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN), 16000);
    else if (value && !json_object_is_type(value, json_type_string) &&
             !json_object_is_type(value, json_type_int))
        return refuse(error, field->path, "must be a text");
    else if (value && field->kind == FIELD_DOMAIN_OF)
        text = domain_of(pool, json_object_get_string(value), field->max);
    else if (value)
        text = cut(pool, json_object_get_string(value), field->max);
    if (!text && field->kind == FIELD_BLANK)
        text = "";
    *out = SQL_TEXT(text);
    return TRUE;
}

static gboolean apply_row(Sql *sql, const EventRow *row, Json *json, GError **error)
{
    g_autoptr(GPtrArray) pool = g_ptr_array_new_with_free_func(g_free);
    SqlParameter parameters[FIELDS_MAX];
    guint n = 0;

    for (; n < FIELDS_MAX && row->fields[n].kind != FIELD_END; n++)
        if (!bind(&row->fields[n], json, pool, &parameters[n], error))
            return FALSE;
    return sql_execute(sql, row->statement, parameters, n, NULL, NULL, error);
}

static Json *parse(const Event *event)
{
    struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH);
    Json *json = NULL;

    if (event->length <= JOURNAL_JSON_MAX)
        json = json_tokener_parse_ex(tokener, event->json, (int)event->length);
    gboolean whole = json && json_tokener_get_parse_end(tokener) == event->length;
    json_tokener_free(tokener);
    if (whole && json_object_is_type(json, json_type_object))
        return json;
    json_object_put(json);
    return NULL;
}

static gboolean apply_event(Sql *sql, const Event *event, GError **error)
{
    gboolean known = event->type == EVENT_AUTH_FAILED; /* for the log only */
    g_autoptr(Json) json = parse(event);

    if (!json)
        return refuse(error, "event", "not a JSON object");
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (rows[i].type != event->type)
            continue;
        known = TRUE;
        if (!apply_row(sql, &rows[i], json, error))
            return FALSE;
    }
    return known || refuse(error, "type", "not known to this version");
}

static gboolean reject(Sql *sql, const EventSource *source, const Event *event, const char *reason,
                       GError **error)
{
    g_autoptr(GPtrArray) pool = g_ptr_array_new_with_free_func(g_free);
    const SqlParameter parameters[] = {
        SQL_UNSIGNED(source->node),
        SQL_TEXT(source->program),
        SQL_TEXT(source->epoch),
        SQL_UNSIGNED(event->seq),
        SQL_UNSIGNED(event->type),
        SQL_INT(event->at_us),
        SQL_OCTETS(event->json, event->length),
        SQL_TEXT(cut(pool, reason, REASON_MAX)),
    };

    return sql_execute(sql, SQL_EVENT_REJECT, parameters, G_N_ELEMENTS(parameters), NULL, NULL,
                       error);
}

typedef struct {
    const EventSource *source;
    const Event *events;
    guint n;
    guint rejected;
} Batch;

static gboolean apply_batch(Sql *sql, gpointer data, GError **error)
{
    Batch *batch = data;
    const EventSource *source = batch->source;

    batch->rejected = 0;
    for (guint i = 0; i < batch->n; i++) {
        g_autoptr(GError) why = NULL;
        if (apply_event(sql, &batch->events[i], &why))
            continue;
        if (error_class(why) == ERROR_CLASS_TEMPORARY) {
            g_propagate_error(error, g_steal_pointer(&why));
            return FALSE;
        }
        if (!reject(sql, source, &batch->events[i], why->message, error))
            return FALSE;
        batch->rejected++;
    }
    const SqlParameter position[] = {SQL_UNSIGNED(source->node), SQL_TEXT(source->program),
                                     SQL_TEXT(source->epoch),
                                     SQL_UNSIGNED(batch->events[batch->n - 1].seq)};
    return sql_execute(sql, SQL_JOURNAL_POSITION_SET, position, G_N_ELEMENTS(position), NULL, NULL,
                       error);
}

gboolean event_apply_batch(Sql *sql, const EventSource *source, const Event *events, guint n,
                           guint *rejected, GError **error)
{
    Batch batch = {.source = source, .events = events, .n = n};

    g_return_val_if_fail(n >= 1, FALSE);
    if (!sql_transaction(sql, apply_batch, &batch, error))
        return FALSE;
    *rejected = batch.rejected;
    return TRUE;
}

static gboolean read_seq(const SqlRow *row, gpointer data, G_GNUC_UNUSED GError **error)
{
    *(guint64 *)data = sql_row_unsigned(row, 0);
    return TRUE;
}

gboolean event_position(Sql *sql, const EventSource *source, guint64 *seq, GError **error)
{
    const SqlParameter parameters[] = {SQL_UNSIGNED(source->node), SQL_TEXT(source->program),
                                       SQL_TEXT(source->epoch)};
    guint64 found = 0;

    if (!sql_query(sql, SQL_JOURNAL_POSITION_GET, parameters, G_N_ELEMENTS(parameters), read_seq,
                   &found, error))
        return FALSE;
    *seq = found;
    return TRUE;
}
