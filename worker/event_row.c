/* SPDX-License-Identifier: MIT */
#include "worker/event_row.h"

#include <json-c/json.h>
#include <string.h>

#include "lib/base/address.h"
#include "lib/base/error.h"
#include "lib/base/id.h"
#include "lib/base/suppression.h"
#include "lib/journal/journal.h"
#include "lib/seal/digest.h"

#define FIELDS_MAX 28
#define JSON_DEPTH 16
#define LIST_MAX   16000
#define NAME_SIZE  32
#define WHEN_MAX   5 /* paths and words, and a NULL */

typedef enum {
    FIELD_END,
    FIELD_NUMBER,
    FIELD_NEED,
    FIELD_SIGNED,
    FIELD_SECONDS,
    FIELD_ID_OF_EACH,
    FIELD_FLAG,
    FIELD_TEXT,
    FIELD_BLANK,
    FIELD_LIST,
    FIELD_DOMAIN_OF,
    FIELD_TEXT_OF_EACH,
    FIELD_DOMAIN_OF_EACH,
    FIELD_WORD,
    FIELD_RECIPIENT,
    FIELD_VISIT,
    FIELD_CONSTANT,
} FieldKind;

typedef enum { ONCE, EACH } Times;

typedef struct {
    FieldKind kind;
    const char *path;
    guint max; /* characters */
    const char *absent;
    const char *const *words;
} Field;

typedef struct {
    EventType type;
    SqlStatement statement;
    const char *when
        [WHEN_MAX]; /* a path that must be true or an object, or paths and words; NULL: always */
    Times times;
    Field fields[FIELDS_MAX];
} Row;

#define ALWAYS                                                                                     \
    {                                                                                              \
        NULL                                                                                       \
    }
#define ONLY_IF(path)                                                                              \
    {                                                                                              \
        path, NULL                                                                                 \
    }
#define ONLY_WHEN(...)                                                                             \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }
#define FIELD(field_kind, field_path, ...)                                                         \
    {                                                                                              \
        .kind = FIELD_##field_kind, .path = field_path, __VA_ARGS__                                \
    }
#define NUMBER(path)              FIELD(NUMBER, path)
#define NEED(path)                FIELD(NEED, path)
#define SIGNED(path)              FIELD(SIGNED, path)
#define SECONDS(path)             FIELD(SECONDS, path)
#define FLAG(path)                FIELD(FLAG, path)
#define LIST(path)                FIELD(LIST, path, .max = LIST_MAX)
#define WHOLE_LIST(path)          FIELD(LIST, path, .max = JOURNAL_JSON_MAX)
#define VISIT(kind)               FIELD(VISIT, kind)
#define CONSTANT(text)            FIELD(CONSTANT, text)
#define TEXT(path, width)         FIELD(TEXT, path, .max = width)
#define BLANK(path, width)        FIELD(BLANK, path, .max = width, .absent = "")
#define DOMAIN_OF(path)           FIELD(DOMAIN_OF, path)
#define RECIPIENT(path)           FIELD(RECIPIENT, path, .absent = "")
#define ID_OF_EACH(path)          FIELD(ID_OF_EACH, path)
#define TEXT_OF_EACH(path, width) FIELD(TEXT_OF_EACH, path, .max = width)
#define DOMAIN_OF_EACH(path)      FIELD(DOMAIN_OF_EACH, path)
#define WORD(path, otherwise, ...)                                                                 \
    FIELD(WORD, path, .absent = otherwise, .words = (const char *const[]){__VA_ARGS__, NULL})

static const Row table[] = {
#define X(type, statement, when, times, ...) {EVENT_##type, statement, when, times, {__VA_ARGS__}},
#include "worker/event_row.def"
#undef X
};

typedef struct json_object Json;

struct EventRows {
    struct json_tokener *tokener;
    GPtrArray *events;                     /* Json, whose texts the parameters point to */
    GPtrArray *pool;                       /* other texts of theirs */
    GArray *groups[SQL_STATEMENT_COUNT];   /* SqlParameter, row after row; NULL: none yet */
    guint parameters[SQL_STATEMENT_COUNT]; /* of one row */
    guint count;
};

static void json_free(gpointer json)
{
    json_object_put(json);
}

EventRows *event_rows_new(void)
{
    EventRows *rows = g_new0(EventRows, 1);

    rows->tokener = json_tokener_new_ex(JSON_DEPTH);
    rows->events = g_ptr_array_new_with_free_func(json_free);
    rows->pool = g_ptr_array_new_with_free_func(g_free);
    return rows;
}

void event_rows_clear(EventRows *rows)
{
    for (guint i = 0; i < SQL_STATEMENT_COUNT; i++)
        if (rows->groups[i])
            g_array_set_size(rows->groups[i], 0);
    g_ptr_array_set_size(rows->events, 0);
    g_ptr_array_set_size(rows->pool, 0);
    rows->count = 0;
}

void event_rows_free(EventRows *rows)
{
    for (guint i = 0; i < SQL_STATEMENT_COUNT; i++)
        if (rows->groups[i])
            g_array_unref(rows->groups[i]);
    json_tokener_free(rows->tokener);
    g_ptr_array_unref(rows->events);
    g_ptr_array_unref(rows->pool);
    g_free(rows);
}

guint event_rows_count(const EventRows *rows)
{
    return rows->count;
}

const SqlParameter *event_rows_of(const EventRows *rows, SqlStatement statement, guint *n,
                                  guint *count)
{
    const GArray *group = rows->groups[statement];

    if (!group || group->len == 0)
        return NULL;
    *n = rows->parameters[statement];
    *count = group->len / *n;
    return (const SqlParameter *)(gpointer)group->data;
}

/* "a" or "a.b"; NULL when absent or null. */
static Json *lookup(Json *object, const char *path)
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

static gboolean refuse(GError **error, const char *path, const char *allowed)
{
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "%s: %s", path, allowed);
    return FALSE;
}

char *event_text_cut(const char *text, guint max)
{
    char *valid = g_utf8_make_valid(text, -1);

    if (g_utf8_strlen(valid, -1) > (glong)max)
        *g_utf8_offset_to_pointer(valid, max) = '\0';
    return valid;
}

static const char *keep(EventRows *rows, char *text)
{
    g_ptr_array_add(rows->pool, text);
    return text;
}

/* The text itself when it fits, as nearly all do; else a copy that does. */
static const char *fit(EventRows *rows, const char *text, guint max)
{
    gsize length = strlen(text);

    if (length <= max && g_utf8_validate(text, (gssize)length, NULL))
        return text;
    return keep(rows, event_text_cut(text, max));
}

/* NULL: it has none. */
static const char *domain_of(EventRows *rows, const char *address)
{
    char *domain = address_domain(address);

    return domain ? keep(rows, domain) : NULL;
}

/* As suppressions have it; "": it could not be one. */
static const char *recipient_of(EventRows *rows, const char *address)
{
    char *recipient = suppression_address(address);

    return recipient ? keep(rows, recipient) : "";
}

static gboolean bind_number(const Field *field, Json *value, guint index, SqlParameter *out,
                            GError **error)
{
    if (value && !json_object_is_type(value, json_type_int))
        return refuse(error, field->path, "must be a whole number");
    gint64 number = value ? json_object_get_int64(value) : 0;
    gboolean is_id = field->kind == FIELD_ID_OF_EACH;
    if (field->kind == FIELD_SIGNED || field->kind == FIELD_SECONDS) {
        *out = SQL_INT(field->kind == FIELD_SECONDS ? number / G_USEC_PER_SEC : number);
        return TRUE;
    }
    if (number < 0 || ((field->kind == FIELD_NEED || is_id) && number == 0))
        return refuse(error, field->path, "must be a positive whole number");
    if (is_id)
        *out = SQL_UNSIGNED(id_at((guint64)number, index));
    else
        *out = value || g_str_equal(field->path, "server") ? SQL_UNSIGNED(number) : SQL_NULL;
    return TRUE;
}

static gboolean bind_word(const Field *field, Json *value, SqlParameter *out, GError **error)
{
    const char *text = value ? json_object_get_string(value) : field->absent;

    if (!g_strv_contains(field->words, text)) {
        g_autofree char *allowed = g_strjoinv(", ", (char **)(guintptr)field->words);
        return refuse(error, field->path, allowed);
    }
    *out = SQL_TEXT(text);
    return TRUE;
}

static gboolean bind_text(EventRows *rows, const Field *field, Json *value, SqlParameter *out,
                          GError **error)
{
    gboolean is_domain = field->kind == FIELD_DOMAIN_OF || field->kind == FIELD_DOMAIN_OF_EACH;

    if (!value) {
        *out = SQL_TEXT(field->absent);
        return TRUE;
    }
    if (field->kind == FIELD_LIST) {
        const char *plain = json_object_to_json_string_ext(
            value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
        *out = SQL_TEXT(fit(rows, plain, field->max));
        return TRUE;
    }
    if (!json_object_is_type(value, json_type_string) && !json_object_is_type(value, json_type_int))
        return refuse(error, field->path, "must be a text");
    const char *text = json_object_get_string(value);
    if (field->kind == FIELD_RECIPIENT)
        *out = SQL_TEXT(recipient_of(rows, text));
    else
        *out = SQL_TEXT(is_domain ? domain_of(rows, text) : fit(rows, text, field->max));
    return TRUE;
}

/* The same client at the same link within a second is the same visit. */
static guint64 visit_of(const char *kind, Json *event)
{
    static const char *const paths[] = {"ordinal", "ip", "ua", "method"};
    g_autoptr(Digest) digest = digest_new();
    g_autofree char *second = g_strdup_printf(
        "%" G_GINT64_FORMAT, json_object_get_int64(lookup(event, "at")) / G_USEC_PER_SEC);

    digest_add_text(digest, kind);
    digest_add_text(digest, second);
    for (guint i = 0; i < G_N_ELEMENTS(paths); i++) {
        const char *text = json_object_get_string(lookup(event, paths[i]));
        digest_add_text(digest, text ? text : "");
    }
    return digest_finish_number(digest);
}

static gboolean bind(EventRows *rows, const Field *field, Json *event, guint index,
                     SqlParameter *out, GError **error)
{
    if (field->kind == FIELD_CONSTANT) {
        *out = SQL_TEXT(field->path);
        return TRUE;
    }
    if (field->kind == FIELD_VISIT) {
        *out = SQL_UNSIGNED(visit_of(field->path, event));
        return TRUE;
    }
    Json *value = lookup(event, field->path);
    switch (field->kind) {
    case FIELD_NUMBER:
    case FIELD_NEED:
    case FIELD_SIGNED:
    case FIELD_SECONDS:
    case FIELD_ID_OF_EACH:
        return bind_number(field, value, index, out, error);
    case FIELD_FLAG:
        *out = SQL_UNSIGNED(json_object_get_boolean(value));
        return TRUE;
    case FIELD_WORD:
        return bind_word(field, value, out, error);
    case FIELD_TEXT_OF_EACH:
    case FIELD_DOMAIN_OF_EACH:
        if (value && !json_object_is_type(value, json_type_array))
            return refuse(error, field->path, "must be a list");
        value = value ? json_object_array_get_idx(value, index) : NULL;
        break;
    default:
        break;
    }
    return bind_text(rows, field, value, out, error);
}

static guint count_fields(const Row *row)
{
    guint n = 0;

    while (n < FIELDS_MAX && row->fields[n].kind != FIELD_END)
        n++;
    return n;
}

static gboolean applies(const Row *row, Json *event)
{
    const char *const *when = row->when;

    if (when[0] && !when[1]) {
        Json *value = lookup(event, when[0]);
        return json_object_is_type(value, json_type_object) || json_object_get_boolean(value);
    }
    for (; when[0]; when += 2) {
        Json *value = lookup(event, when[0]);
        if (!json_object_is_type(value, json_type_string) ||
            !g_str_equal(json_object_get_string(value), when[1]))
            return FALSE;
    }
    return TRUE;
}

static gboolean count_times(const Row *row, Json *event, guint *times, GError **error)
{
    if (!applies(row, event)) {
        *times = 0;
        return TRUE;
    }
    *times = 1;
    if (row->times == ONCE)
        return TRUE;
    Json *value = lookup(event, "n");
    gint64 n = json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : 0;
    if (n < 1 || n > ID_BLOCK_MAX)
        return refuse(error, "n", "must be a whole number, and no more than a block of ids");
    *times = (guint)n;
    return TRUE;
}

static gboolean add_row(EventRows *rows, const Row *row, Json *event, GError **error)
{
    guint n = count_fields(row), times;

    if (!count_times(row, event, &times, error))
        return FALSE;
    if (!rows->groups[row->statement]) {
        rows->groups[row->statement] = g_array_new(FALSE, FALSE, sizeof(SqlParameter));
        rows->parameters[row->statement] = n;
    }
    for (guint index = 0; index < times; index++) {
        SqlParameter parameters[FIELDS_MAX];
        for (guint i = 0; i < n; i++)
            if (!bind(rows, &row->fields[i], event, index, &parameters[i], error))
                return FALSE;
        g_array_append_vals(rows->groups[row->statement], parameters, n);
        rows->count++;
    }
    return TRUE;
}

static Json *parse(EventRows *rows, const char *json, gsize length)
{
    json_tokener_reset(rows->tokener);
    Json *event =
        length <= JOURNAL_JSON_MAX ? json_tokener_parse_ex(rows->tokener, json, (int)length) : NULL;
    if (event && json_tokener_get_parse_end(rows->tokener) == length &&
        json_object_is_type(event, json_type_object))
        return event;
    json_object_put(event);
    return NULL;
}

static guint length_of(const EventRows *rows, SqlStatement statement)
{
    return rows->groups[statement] ? rows->groups[statement]->len : 0;
}

static void forget(EventRows *rows, SqlStatement statement, guint length)
{
    if (!rows->groups[statement])
        return;
    rows->count -= (length_of(rows, statement) - length) / rows->parameters[statement];
    g_array_set_size(rows->groups[statement], length);
}

/* For who reads the journal. */
static gboolean is_without_rows(guint16 type)
{
    return type == EVENT_AUTH_FAILED || type == EVENT_LIMIT_NEAR || type == EVENT_LIMIT_EXCEEDED;
}

gboolean event_rows_add(EventRows *rows, guint16 type, const char *json, gsize length,
                        GError **error)
{
    guint before[G_N_ELEMENTS(table)];
    gboolean known = is_without_rows(type);
    Json *event = parse(rows, json, length);

    if (!event)
        return refuse(error, "event", "not a JSON object");
    g_ptr_array_add(rows->events, event);
    for (guint i = 0; i < G_N_ELEMENTS(table); i++) {
        before[i] = length_of(rows, table[i].statement);
        if (table[i].type != type)
            continue;
        known = TRUE;
        if (add_row(rows, &table[i], event, error))
            continue;
        for (guint k = i + 1; k-- > 0;)
            if (table[k].type == type)
                forget(rows, table[k].statement, before[k]);
        return FALSE;
    }
    return known || refuse(error, "type", "not known to this version");
}
