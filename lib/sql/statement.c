/* SPDX-License-Identifier: MIT */
/* Prepared statements: binding, running, reading rows. */
#include <mysqld_error.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/sql/connection.h"

enum { WORKER = 1, CLI = 2, API = 4, MANAGE = 8 };

typedef struct {
    const char *name;
    const char *parameters;
    const char *columns;
    unsigned users;
    const char *text;
} Statement;

static const Statement statements[] = {
#define X(NAME, parameters, columns, users, text) {#NAME, parameters, columns, users, text},
#include "lib/sql/statement.def"
#undef X
};

#define COLUMNS_MAX      64
#define PARAMETERS_MAX   64
#define COLUMN_FIRST     256 /* octets of a column's first buffer */
#define COLUMN_BYTES_MAX (64 * 1024 * 1024)

typedef struct {
    const char *name;
    gboolean is_integer;
    my_bool is_null;
    my_bool is_unsigned;
    my_bool truncated;
    guint64 number;
    char *text; /* one octet longer than size, for the NUL */
    gsize size;
    unsigned long length;
} Column;

struct SqlRow {
    guint n;
    Column columns[COLUMNS_MAX];
    MYSQL_BIND binds[COLUMNS_MAX];
};

SqlParameter sql_text(const char *text)
{
    return (SqlParameter){
        .kind = SQL_PARAMETER_TEXT, .data = text, .length = text ? strlen(text) : 0};
}

const char *sql_statement_name(SqlStatement statement)
{
    return statements[statement].name;
}

const char *sql_statement_letters(SqlStatement statement)
{
    return statements[statement].parameters;
}

const char *sql_statement_columns(SqlStatement statement)
{
    return statements[statement].columns;
}

gboolean sql_fail_statement(Sql *sql, SqlStatement statement, gboolean writes, GError **error)
{
    MYSQL_STMT *stmt = sql->statements[statement];
    g_autofree char *text = g_strdup(mysql_stmt_error(stmt));
    unsigned number = mysql_stmt_errno(stmt);

    return sql_fail(sql, number, text, statements[statement].name, writes && !sql->in_transaction,
                    error);
}

gboolean sql_prepare(Sql *sql, SqlStatement statement, GError **error)
{
    static const unsigned needed[] = {[SQL_ACCESS_READ] = API, [SQL_ACCESS_MANAGE] = MANAGE};
    const Statement *entry = &statements[statement];

    if (sql->access != SQL_ACCESS_ALL && !(entry->users & needed[sql->access])) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INTERNAL,
                    "database: %s is not for those who only %s", entry->name,
                    sql->access == SQL_ACCESS_READ ? "read" : "manage");
        return FALSE;
    }
    if (!sql_ensure_link(sql, error))
        return FALSE;
    if (sql->statements[statement])
        return TRUE;
    MYSQL_STMT *stmt = mysql_stmt_init(sql->mysql);
    if (!stmt) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE, "database: out of memory");
        return FALSE;
    }
    sql->statements[statement] = stmt;
    if (mysql_stmt_prepare(stmt, entry->text, strlen(entry->text)) == 0) {
        if (mysql_stmt_param_count(stmt) == strlen(entry->parameters))
            return TRUE;
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INTERNAL,
                    "database: %s: the table says %zu parameters, the text has %lu", entry->name,
                    strlen(entry->parameters), mysql_stmt_param_count(stmt));
    } else {
        sql_fail_statement(sql, statement, FALSE, error);
    }
    if (sql->statements[statement]) {
        mysql_stmt_close(stmt);
        sql->statements[statement] = NULL;
    }
    return FALSE;
}

static gboolean kind_fits(char letter, const SqlParameter *parameter)
{
    switch (parameter->kind) {
    case SQL_PARAMETER_NULL:
        return TRUE;
    case SQL_PARAMETER_INT:
        return letter == 'i';
    case SQL_PARAMETER_UNSIGNED:
        return letter == 'u';
    case SQL_PARAMETER_TEXT:
        return letter == 's';
    case SQL_PARAMETER_OCTETS:
        return letter == 'b';
    }
    return FALSE;
}

gboolean sql_check_parameters(SqlStatement statement, const SqlParameter *parameters, guint n,
                              GError **error)
{
    const Statement *entry = &statements[statement];

    if (n != strlen(entry->parameters) || n > PARAMETERS_MAX) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INTERNAL,
                    "database: %s takes %zu parameters, not %u", entry->name,
                    strlen(entry->parameters), n);
        return FALSE;
    }
    for (guint i = 0; i < n; i++)
        if (!kind_fits(entry->parameters[i], &parameters[i])) {
            g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INTERNAL,
                        "database: %s: parameter %u is not of type %c", entry->name, i + 1,
                        entry->parameters[i]);
            return FALSE;
        }
    return TRUE;
}

/* The client library never writes through a parameter's buffer, but takes it without const. */
static void *without_const(const void *data)
{
    return (void *)(guintptr)data;
}

static void bind_parameter(MYSQL_BIND *bind, const SqlParameter *parameter)
{
    switch (parameter->kind) {
    case SQL_PARAMETER_INT:
    case SQL_PARAMETER_UNSIGNED:
        bind->buffer_type = MYSQL_TYPE_LONGLONG;
        bind->buffer = without_const(&parameter->number);
        bind->is_unsigned = parameter->kind == SQL_PARAMETER_UNSIGNED;
        return;
    case SQL_PARAMETER_TEXT:
    case SQL_PARAMETER_OCTETS:
        if (!parameter->data)
            break;
        bind->buffer_type =
            parameter->kind == SQL_PARAMETER_TEXT ? MYSQL_TYPE_STRING : MYSQL_TYPE_BLOB;
        bind->buffer = without_const(parameter->data);
        bind->buffer_length = parameter->length;
        bind->length_value = parameter->length;
        bind->length = &bind->length_value;
        return;
    case SQL_PARAMETER_NULL:
        break;
    }
    bind->buffer_type = MYSQL_TYPE_NULL;
}

static gboolean run(Sql *sql, SqlStatement statement, const SqlParameter *parameters, guint n,
                    gboolean writes, GError **error)
{
    MYSQL_BIND binds[PARAMETERS_MAX] = {0};

    if (!sql_check_parameters(statement, parameters, n, error) ||
        !sql_prepare(sql, statement, error))
        return FALSE;
    MYSQL_STMT *stmt = sql->statements[statement];
    for (guint i = 0; i < n; i++)
        bind_parameter(&binds[i], &parameters[i]);
    if ((n > 0 && mysql_stmt_bind_param(stmt, binds)) || mysql_stmt_execute(stmt))
        return sql_fail_statement(sql, statement, writes, error);
    return TRUE;
}

gboolean sql_execute(Sql *sql, SqlStatement statement, const SqlParameter *parameters, guint n,
                     guint64 *affected, guint64 *insert_id, GError **error)
{
    if (!run(sql, statement, parameters, n, TRUE, error))
        return FALSE;
    MYSQL_STMT *stmt = sql->statements[statement];
    if (affected)
        *affected = mysql_stmt_affected_rows(stmt);
    if (insert_id)
        *insert_id = mysql_stmt_insert_id(stmt);
    /* A statement that returns rows may be executed too; the rows are thrown away. */
    mysql_stmt_free_result(stmt);
    return TRUE;
}

gboolean sql_execute_pages(Sql *sql, SqlStatement statement, const SqlParameter *parameters,
                           guint n, GError **error)
{
    const guint64 page = (guint64)parameters[n - 1].number;
    guint64 changed;

    do {
        if (!sql_execute(sql, statement, parameters, n, &changed, NULL, error))
            return FALSE;
    } while (changed >= page);
    return TRUE;
}

static gboolean is_integer(const MYSQL_FIELD *field)
{
    switch (field->type) {
    case MYSQL_TYPE_TINY:
    case MYSQL_TYPE_SHORT:
    case MYSQL_TYPE_INT24:
    case MYSQL_TYPE_LONG:
    case MYSQL_TYPE_LONGLONG:
    case MYSQL_TYPE_YEAR:
        return TRUE;
    default:
        return FALSE;
    }
}

static void row_free(SqlRow *row)
{
    for (guint i = 0; i < row->n; i++)
        g_free(row->columns[i].text);
    g_free(row);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SqlRow, row_free)

static void bind_column(MYSQL_BIND *bind, Column *column, const MYSQL_FIELD *field)
{
    column->name = field->name;
    column->is_integer = is_integer(field);
    column->is_unsigned = (field->flags & UNSIGNED_FLAG) != 0;
    bind->is_null = &column->is_null;
    bind->length = &column->length;
    bind->error = &column->truncated;
    bind->is_unsigned = column->is_unsigned;
    if (column->is_integer) {
        bind->buffer_type = MYSQL_TYPE_LONGLONG;
        bind->buffer = &column->number;
        bind->buffer_length = sizeof(column->number);
        return;
    }
    column->size = COLUMN_FIRST;
    column->text = g_malloc(column->size + 1);
    bind->buffer_type = MYSQL_TYPE_STRING;
    bind->buffer = column->text;
    bind->buffer_length = column->size;
}

/* Fetches again what did not fit, into a larger buffer that later rows use too. */
static gboolean refetch(MYSQL_STMT *stmt, SqlRow *row, guint i)
{
    Column *column = &row->columns[i];
    MYSQL_BIND *bind = &row->binds[i];

    if (column->length > COLUMN_BYTES_MAX)
        return FALSE;
    column->size = column->length;
    column->text = g_realloc(column->text, column->size + 1);
    bind->buffer = column->text;
    bind->buffer_length = column->size;
    return mysql_stmt_fetch_column(stmt, bind, i, 0) == 0;
}

static gboolean complete_row(MYSQL_STMT *stmt, SqlRow *row)
{
    gboolean grown = FALSE;

    for (guint i = 0; i < row->n; i++) {
        Column *column = &row->columns[i];
        if (column->is_integer || column->is_null)
            continue;
        if (column->length > column->size) {
            if (!refetch(stmt, row, i))
                return FALSE;
            grown = TRUE;
        }
        column->text[column->length] = '\0';
    }
    return !grown || mysql_stmt_bind_result(stmt, row->binds) == 0;
}

static gboolean read_rows(Sql *sql, SqlStatement statement, SqlRow *row, SqlRowFunc func,
                          gpointer data, GError **error)
{
    MYSQL_STMT *stmt = sql->statements[statement];

    for (;;) {
        int rc = mysql_stmt_fetch(stmt);
        if (rc == MYSQL_NO_DATA)
            return TRUE;
        if (rc == 1 || !complete_row(stmt, row))
            return sql_fail_statement(sql, statement, FALSE, error);
        g_autoptr(GError) why = NULL;
        gboolean more = func(row, data, &why);
        if (why) {
            g_propagate_error(error, g_steal_pointer(&why));
            return FALSE;
        }
        if (!more)
            return TRUE;
    }
}

gboolean sql_query(Sql *sql, SqlStatement statement, const SqlParameter *parameters, guint n,
                   SqlRowFunc func, gpointer data, GError **error)
{
    if (!run(sql, statement, parameters, n, FALSE, error))
        return FALSE;
    MYSQL_STMT *stmt = sql->statements[statement];
    MYSQL_RES *meta = mysql_stmt_result_metadata(stmt);
    guint columns = meta ? mysql_num_fields(meta) : 0;
    if (columns < 1 || columns > COLUMNS_MAX) {
        if (meta)
            mysql_free_result(meta);
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INTERNAL,
                    "database: %s returns %u columns: allowed are 1 to %d",
                    statements[statement].name, columns, COLUMNS_MAX);
        return FALSE;
    }
    g_autoptr(SqlRow) row = g_new0(SqlRow, 1);
    row->n = columns;
    for (guint i = 0; i < columns; i++)
        bind_column(&row->binds[i], &row->columns[i], mysql_fetch_field_direct(meta, i));
    sql->streaming = TRUE;
    gboolean done = mysql_stmt_bind_result(stmt, row->binds)
                        ? sql_fail_statement(sql, statement, FALSE, error)
                        : read_rows(sql, statement, row, func, data, error);
    sql->streaming = FALSE;
    mysql_free_result(meta);
    if (sql->statements[statement])
        mysql_stmt_free_result(stmt);
    return done;
}

static const Column *column_of(const SqlRow *row, guint column)
{
    g_return_val_if_fail(column < row->n, &row->columns[0]);
    return &row->columns[column];
}

guint sql_row_columns(const SqlRow *row)
{
    return row->n;
}

const char *sql_row_name(const SqlRow *row, guint column)
{
    return column_of(row, column)->name;
}

gboolean sql_row_is_integer(const SqlRow *row, guint column)
{
    return column_of(row, column)->is_integer;
}

gboolean sql_row_is_null(const SqlRow *row, guint column)
{
    return column_of(row, column)->is_null;
}

gint64 sql_row_int(const SqlRow *row, guint column)
{
    const Column *c = column_of(row, column);

    if (c->is_null)
        return 0;
    return c->is_integer ? (gint64)c->number : g_ascii_strtoll(c->text, NULL, 10);
}

guint64 sql_row_unsigned(const SqlRow *row, guint column)
{
    const Column *c = column_of(row, column);

    if (c->is_null)
        return 0;
    return c->is_integer ? c->number : g_ascii_strtoull(c->text, NULL, 10);
}

const char *sql_row_text(const SqlRow *row, guint column)
{
    const Column *c = column_of(row, column);

    return c->is_null || c->is_integer ? NULL : c->text;
}

const guint8 *sql_row_octets(const SqlRow *row, guint column, gsize *length)
{
    const Column *c = column_of(row, column);

    if (c->is_null || c->is_integer)
        return NULL;
    *length = c->length;
    return (const guint8 *)c->text;
}
