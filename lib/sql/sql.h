/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the door to MariaDB: connections with time-outs, prepared statements from one closed
 *     table (statement.def), transactions that are retried on deadlock and certification failure.
 * Used by: lib/directory, the worker, the CLI; apid, to read and to manage (pool.h). Never linked into programs on the mail path.
 * May touch: MariaDB.
 * Threads: one connection per thread.
 * Limits: connect 5 s, read and write 30 s. Statements are prepared on first use and again after a
 *     reconnect. A lost link inside a transaction is UNAVAILABLE before COMMIT was sent and
 *     UNKNOWN_RESULT after; a single write outside a transaction is UNKNOWN_RESULT once it was sent.
 *     After a loss the next call outside a transaction connects again by itself.
 */
#pragma once

#include <glib.h>

#include "lib/config/config.h"

typedef struct Sql Sql;
typedef struct SqlRow SqlRow;

typedef enum {
#define X(NAME, parameters, columns, users, text) SQL_##NAME,
#include "lib/sql/statement.def"
#undef X
    SQL_STATEMENT_COUNT
} SqlStatement;

/* Connects; errors UNAVAILABLE (away) or INVALID (access denied, unknown database). */
Sql *sql_open(const Config *config, GError **error);
void sql_close(Sql *sql);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Sql, sql_close)

/* Connects again after the link was lost; the statements are prepared again as they are used. */
gboolean sql_reconnect(Sql *sql, GError **error);

/* One parameter. The letter in the statement's parameter list says which: i (gint64), u (guint64),
 * s (text), b (octets). A NULL text or octets is SQL NULL; so is any SQL_NULL. */
typedef struct {
    enum {
        SQL_PARAMETER_NULL,
        SQL_PARAMETER_INT,
        SQL_PARAMETER_UNSIGNED,
        SQL_PARAMETER_TEXT,
        SQL_PARAMETER_OCTETS
    } kind;
    gint64 number;
    const void *data;
    gsize length;
} SqlParameter;

#define SQL_INT(v)       ((SqlParameter){.kind = SQL_PARAMETER_INT, .number = (gint64)(v)})
#define SQL_UNSIGNED(v)  ((SqlParameter){.kind = SQL_PARAMETER_UNSIGNED, .number = (gint64)(v)})
#define SQL_TEXT(v)      (sql_text(v))
#define SQL_OCTETS(v, n) ((SqlParameter){.kind = SQL_PARAMETER_OCTETS, .data = (v), .length = (n)})
#define SQL_NULL         ((SqlParameter){.kind = SQL_PARAMETER_NULL})
SqlParameter sql_text(const char *text);

/* Runs a statement; the number of parameters must match the table. affected and insert_id may be
 * NULL. Errors: UNAVAILABLE, CONFLICT (deadlock, certification), EXISTS (duplicate key), INVALID (the
 * server refuses the data for good), INTERNAL. */
gboolean sql_execute(Sql *sql, SqlStatement statement, const SqlParameter *parameters, guint n,
                     guint64 *affected, guint64 *insert_id, GError **error);

/* Runs a statement whose last parameter is how many rows it changes at most, again and again until they were fewer. */
gboolean sql_execute_pages(Sql *sql, SqlStatement statement, const SqlParameter *parameters,
                           guint n, GError **error);

/* Runs a statement that writes once for each of rows rows of n parameters, one after the other, and
 * sends them together. When it fails inside a transaction some of the rows may be written: go back to a
 * savepoint. */
gboolean sql_execute_rows(Sql *sql, SqlStatement statement, const SqlParameter *parameters, guint n,
                          guint rows, GError **error);

/* What the table says of a statement: its name and its result columns ("a b c"). */
const char *sql_statement_name(SqlStatement statement);
const char *sql_statement_columns(SqlStatement statement);

/* Prepares a statement without running it; the others do this by themselves. */
gboolean sql_prepare(Sql *sql, SqlStatement statement, GError **error);

/* Called per row; return FALSE to stop, with error set to make the query fail. The connection is busy
 * with the rows: func must not use it. */
typedef gboolean (*SqlRowFunc)(const SqlRow *row, gpointer data, GError **error);

/* Runs a SELECT and hands over its rows, streamed. */
gboolean sql_query(Sql *sql, SqlStatement statement, const SqlParameter *parameters, guint n,
                   SqlRowFunc func, gpointer data, GError **error);

/* Columns of a row, by position; the text lives until the function returns. Text of an integer column
 * is NULL; a number from a text column is what its digits say. */
gboolean sql_row_is_null(const SqlRow *row, guint column);
gint64 sql_row_int(const SqlRow *row, guint column);
guint64 sql_row_unsigned(const SqlRow *row, guint column);
const char *sql_row_text(const SqlRow *row, guint column); /* NULL for SQL NULL */
const guint8 *sql_row_octets(const SqlRow *row, guint column, gsize *length);
guint sql_row_columns(const SqlRow *row);
const char *sql_row_name(const SqlRow *row, guint column);
gboolean sql_row_is_integer(const SqlRow *row, guint column);

/* Runs func inside a transaction; again, up to 10 times, when it or COMMIT fails with CONFLICT. */
typedef gboolean (*SqlTransactionFunc)(Sql *sql, gpointer data, GError **error);
gboolean sql_transaction(Sql *sql, SqlTransactionFunc func, gpointer data, GError **error);

/* Inside a transaction: marks where sql_savepoint_back undoes to. The next mark replaces it. */
gboolean sql_savepoint(Sql *sql, GError **error);
gboolean sql_savepoint_back(Sql *sql, GError **error);

/* Takes the next directory revision: locks the counter row until the transaction ends, and asks the guard. */
gboolean sql_next_revision(Sql *sql, guint64 *revision, GError **error);

/* Has this connection's sql_next_revision ask may, once the counter is held: what it finds stays true until the commit, and FALSE
 * ends the transaction. NULL: nobody any more. */
void sql_guard(Sql *sql, SqlTransactionFunc may, gpointer data);

/* Runs the migrations (files NNNN-name.sql, in order) that the database lacks; *applied receives how
 * many. sql_schema_version reads the newest applied number (0: empty database). */
gboolean sql_migrate(Sql *sql, const char *directory, guint *applied, GError **error);
gboolean sql_schema_version(Sql *sql, guint *version, GError **error);

/* The number of the newest migration, which this version's statements need. sql_schema_check is
 * UNAVAILABLE, with what to do, while the database is behind it. */
#define SQL_SCHEMA 22
gboolean sql_schema_check(Sql *sql, GError **error);

/* Makes one partition a day of each history table, from the day of now to 14 days ahead, and drops
 * those whose retention (table `retention`) is over. */
gboolean sql_partitions_maintain(Sql *sql, gint64 now, GError **error);
