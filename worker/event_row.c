/* SPDX-License-Identifier: MIT */
#include "worker/event_row.h"

#include "lib/base/id.h"
#include "lib/journal/journal.h"
#include "worker/event_field.h"

#define FIELDS_MAX 28
#define JSON_DEPTH 16
#define LIST_MAX   16000
#define WHEN_MAX   5 /* paths and words, and a NULL */

typedef enum { ONCE, EACH } Times;

typedef struct {
    EventType type;
    SqlStatement statement;
    /* A path that must be true or an object, or paths and words; NULL: always. */
    const char *when[WHEN_MAX];
    Times times;
    EventField fields[FIELDS_MAX];
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
        .kind = EVENT_FIELD_##field_kind, .path = field_path, __VA_ARGS__                          \
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

struct EventRows {
    struct json_tokener *tokener;
    GPtrArray *events;                     /* Json, whose texts the parameters point to */
    GPtrArray *texts;                      /* others of theirs */
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
    rows->texts = g_ptr_array_new_with_free_func(g_free);
    return rows;
}

void event_rows_clear(EventRows *rows)
{
    for (guint i = 0; i < SQL_STATEMENT_COUNT; i++)
        if (rows->groups[i])
            g_array_set_size(rows->groups[i], 0);
    g_ptr_array_set_size(rows->events, 0);
    g_ptr_array_set_size(rows->texts, 0);
    rows->count = 0;
}

void event_rows_free(EventRows *rows)
{
    for (guint i = 0; i < SQL_STATEMENT_COUNT; i++)
        if (rows->groups[i])
            g_array_unref(rows->groups[i]);
    json_tokener_free(rows->tokener);
    g_ptr_array_unref(rows->events);
    g_ptr_array_unref(rows->texts);
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

static guint count_fields(const Row *row)
{
    guint n = 0;

    while (n < FIELDS_MAX && row->fields[n].kind != EVENT_FIELD_END)
        n++;
    return n;
}

static gboolean applies(const Row *row, Json *event)
{
    const char *const *when = row->when;

    if (when[0] && !when[1]) {
        Json *value = event_field_lookup(event, when[0]);
        return json_object_is_type(value, json_type_object) || json_object_get_boolean(value);
    }
    for (; when[0]; when += 2) {
        Json *value = event_field_lookup(event, when[0]);
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
    Json *value = event_field_lookup(event, "n");
    gint64 n = json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : 0;
    if (n < 1 || n > ID_BLOCK_MAX)
        return event_field_refuse(error, "n",
                                  "must be a whole number, and no more than a block of ids");
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
            if (!event_field_bind(&row->fields[i], event, index, rows->texts, &parameters[i],
                                  error))
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
        return event_field_refuse(error, "event", "not a JSON object");
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
    return known || event_field_refuse(error, "type", "not known to this version");
}
