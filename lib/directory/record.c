/* SPDX-License-Identifier: MIT */
#include "lib/directory/record.h"

#include "lib/base/error.h"

/* Columns that MariaDB keeps as small integers and people know as yes or no. */
static const char *const booleans[] = {
    "allow_sender", "privacy_mode", "shadow",        "use_for_any", "hold",
    "cram_md5",     "is_default",   "forced",        "hop",         "subdomains",
    "duplicate",    "on_hold",      "https",         "clicks",      "opens",
    "text_links",   "active",       "strip_replies", "attachments", NULL};

gboolean record_is_yesno(const char *column)
{
    return g_strv_contains(booleans, column);
}

static Record *text_of(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);

    return json_object_new_string(valid);
}

Record *record_of_row(const SqlRow *row)
{
    Record *record = json_object_new_object();

    for (guint i = 0; i < sql_row_columns(row); i++) {
        const char *name = sql_row_name(row, i);
        Record *value = NULL;
        if (!sql_row_is_null(row, i)) {
            if (!sql_row_is_integer(row, i))
                value = text_of(sql_row_text(row, i));
            else if (record_is_yesno(name))
                value = json_object_new_boolean(sql_row_int(row, i) != 0);
            else
                value = json_object_new_int64(sql_row_int(row, i));
        }
        json_object_object_add(record, name, value);
    }
    return record;
}

static gboolean append(const SqlRow *row, gpointer data, GError **error)
{
    if (json_object_array_length(data) >= RECORD_LIST_MAX) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_TOO_LARGE,
                    "more than %d rows: name what you look for", RECORD_LIST_MAX);
        return FALSE;
    }
    json_object_array_add(data, record_of_row(row));
    return TRUE;
}

Record *record_list(Sql *sql, SqlStatement statement, const SqlParameter *parameters, guint n,
                    GError **error)
{
    g_autoptr(Record) list = json_object_new_array();

    return sql_query(sql, statement, parameters, n, append, list, error) ? g_steal_pointer(&list)
                                                                         : NULL;
}

static gboolean keep_first(const SqlRow *row, gpointer data, G_GNUC_UNUSED GError **error)
{
    *(Record **)data = record_of_row(row);
    return FALSE;
}

Record *record_first(Sql *sql, SqlStatement statement, const SqlParameter *parameters, guint n,
                     GError **error)
{
    g_autoptr(Record) first = NULL;

    return sql_query(sql, statement, parameters, n, keep_first, &first, error)
               ? g_steal_pointer(&first)
               : NULL;
}

const char *record_text(const Record *record, const char *key)
{
    Record *value = json_object_object_get(record, key);

    return value ? json_object_get_string(value) : NULL;
}

gint64 record_int(const Record *record, const char *key)
{
    return json_object_get_int64(json_object_object_get(record, key));
}

gboolean record_is_null(const Record *record, const char *key)
{
    return json_object_object_get(record, key) == NULL;
}
