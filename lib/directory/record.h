/* SPDX-License-Identifier: MIT */
/*
 * Purpose: rows as JSON objects whose keys are the column names; lists of them.
 * Used by: lib/directory, the CLI, the API.
 * May touch: MariaDB, by reading.
 * Threads: one connection per thread.
 * Limits: a list of at most RECORD_LIST_MAX rows; more is TOO_LARGE.
 */
#pragma once

#include <json-c/json.h>

#include "lib/sql/sql.h"

#define RECORD_LIST_MAX 100000

typedef struct json_object Record;

static inline void record_free(Record *record)
{
    json_object_put(record);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Record, record_free)

/* One row: integers, text (invalid UTF-8 replaced), null; known yes/no columns become booleans. */
Record *record_of_row(const SqlRow *row);

/* Whether a column becomes a boolean. */
gboolean record_is_yesno(const char *column);

/* The rows of a statement as an array. */
Record *record_list(Sql *sql, SqlStatement statement, const SqlParameter *parameters, guint n,
                    GError **error);

/* The first row; NULL with error set on failure, NULL without error when there is none. */
Record *record_first(Sql *sql, SqlStatement statement, const SqlParameter *parameters, guint n,
                     GError **error);

/* Members; NULL or 0 when absent or null. */
const char *record_text(const Record *record, const char *key);
gint64 record_int(const Record *record, const char *key);
gboolean record_is_null(const Record *record, const char *key);
