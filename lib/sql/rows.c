/* SPDX-License-Identifier: MIT */
/*
 * Many rows with one statement: MariaDB's bulk protocol takes a column of values for each parameter, so
 * that a batch costs one way to the server and back.
 */

#include "lib/sql/connection.h"

#define SLICE_ROWS   1000
#define SLICE_OCTETS (1024 * 1024) /* well below the server's max_allowed_packet */

/* The values of one parameter. Numbers lie in a row, texts are pointed to. */
typedef struct {
    gint64 *numbers;
    const void **texts;
    unsigned long *lengths;
    char *indicators;
} Column;

static gboolean is_number(char letter)
{
    return letter == 'i' || letter == 'u';
}

static void fill(Column *column, char letter, const SqlParameter *first, guint n, guint rows)
{
    column->indicators = g_malloc(rows);
    if (is_number(letter)) {
        column->numbers = g_new(gint64, rows);
    } else {
        column->texts = g_new(const void *, rows);
        column->lengths = g_new(unsigned long, rows);
    }
    for (guint row = 0; row < rows; row++) {
        const SqlParameter *value = &first[(gsize)row * n];
        gboolean null = value->kind == SQL_PARAMETER_NULL || (!is_number(letter) && !value->data);
        column->indicators[row] = null ? STMT_INDICATOR_NULL : STMT_INDICATOR_NONE;
        if (is_number(letter)) {
            column->numbers[row] = value->number;
            continue;
        }
        column->texts[row] = value->data;
        column->lengths[row] = value->length;
    }
}

static void bind(MYSQL_BIND *bind, char letter, const Column *column)
{
    bind->u.indicator = column->indicators;
    if (is_number(letter)) {
        bind->buffer_type = MYSQL_TYPE_LONGLONG;
        bind->buffer = column->numbers;
        bind->is_unsigned = letter == 'u';
        return;
    }
    bind->buffer_type = letter == 's' ? MYSQL_TYPE_STRING : MYSQL_TYPE_BLOB;
    bind->buffer = column->texts;
    bind->length = column->lengths;
}

static void clear(Column *column)
{
    g_free(column->numbers);
    g_free(column->texts);
    g_free(column->lengths);
    g_free(column->indicators);
}

/* An array size of 0 makes the statement one for single rows again. */
static gboolean run_bound(Sql *sql, SqlStatement statement, MYSQL_BIND *binds, guint rows,
                          GError **error)
{
    MYSQL_STMT *stmt = sql->statements[statement];
    unsigned size = rows, single = 0;

    gboolean failed = mysql_stmt_attr_set(stmt, STMT_ATTR_ARRAY_SIZE, &size) ||
                      mysql_stmt_bind_param(stmt, binds) || mysql_stmt_execute(stmt);
    if (failed)
        sql_fail_statement(sql, statement, TRUE, error);
    if (sql->statements[statement])
        mysql_stmt_attr_set(stmt, STMT_ATTR_ARRAY_SIZE, &single);
    return !failed;
}

static gboolean run_slice(Sql *sql, SqlStatement statement, const SqlParameter *parameters, guint n,
                          guint rows, GError **error)
{
    const char *letters = sql_statement_letters(statement);
    g_autofree MYSQL_BIND *binds = g_new0(MYSQL_BIND, n);
    g_autofree Column *columns = g_new0(Column, n);

    for (guint i = 0; i < n; i++) {
        fill(&columns[i], letters[i], &parameters[i], n, rows);
        bind(&binds[i], letters[i], &columns[i]);
    }
    gboolean done = run_bound(sql, statement, binds, rows, error);
    for (guint i = 0; i < n; i++)
        clear(&columns[i]);
    return done;
}

/* How many rows, at least one, fit into a slice. */
static guint measure(const SqlParameter *parameters, guint n, guint rows)
{
    gsize octets = 0;

    for (guint row = 0; row < MIN(rows, SLICE_ROWS); row++) {
        for (guint i = 0; i < n; i++)
            octets += sizeof(gint64) + parameters[(gsize)row * n + i].length;
        if (octets > SLICE_OCTETS)
            return MAX(row, 1);
    }
    return MIN(rows, SLICE_ROWS);
}

gboolean sql_execute_rows(Sql *sql, SqlStatement statement, const SqlParameter *parameters, guint n,
                          guint rows, GError **error)
{
    g_return_val_if_fail(n > 0, FALSE);
    for (guint row = 0; row < rows; row++)
        if (!sql_check_parameters(statement, &parameters[(gsize)row * n], n, error))
            return FALSE;
    while (rows > 0) {
        guint slice = measure(parameters, n, rows);
        gboolean done = slice == 1 ? sql_execute(sql, statement, parameters, n, NULL, NULL, error)
                                   : sql_prepare(sql, statement, error) &&
                                         run_slice(sql, statement, parameters, n, slice, error);
        if (!done)
            return FALSE;
        parameters += (gsize)slice * n;
        rows -= slice;
    }
    return TRUE;
}
