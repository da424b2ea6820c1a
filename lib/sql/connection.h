/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what the files of lib/sql share: the connection and how its errors become ours.
 * Used by: lib/sql and its tests only.
 * May touch: MariaDB.
 * Threads: one connection per thread.
 * Limits: connect 5 s, read and write 30 s; one hour for migrations, whose DDL copies tables; of pools 1 s each, but for what a
 *     manager waits for, 3 s.
 */
#pragma once

#include <mysql.h>

#include "lib/base/error.h"
#include "lib/sql/sql.h"

/* Where the database is. All texts are owned. */
typedef struct {
    char *socket; /* "": use host and port */
    char *host;
    guint port;
    char *name;
    char *user;
    char *password;
} SqlSource;

void sql_source_clear(SqlSource *source);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SqlSource, sql_source_clear)

/* What a session may do. */
typedef enum {
    SQL_ACCESS_ALL,
    SQL_ACCESS_READ,   /* statements for API; nothing is written */
    SQL_ACCESS_MANAGE, /* statements for MANAGE */
} SqlAccess;

struct Sql {
    MYSQL *mysql; /* NULL: the link is lost */
    MYSQL_STMT *statements[SQL_STATEMENT_COUNT];
    SqlSource source;
    gboolean in_transaction;
    gboolean streaming; /* a result set is being read: nothing else may run */
    gboolean patient;   /* the long time-out of migrations */
    SqlAccess access;
};

/* Takes the content of source (steals it) and connects. */
Sql *sql_open_source(SqlSource *source, GError **error);

/* The same for a pool: with short time-outs and the statements of that access only. */
Sql *sql_open_limited(SqlSource *source, SqlAccess access, GError **error);

/* Where the configuration says that the database is, for the user and with the password file of these options. FALSE: IO,
 * INVALID. */
gboolean sql_source_read(SqlSource *source, const Config *config, ConfigOption user,
                         ConfigOption password_file, GError **error);

/* Before threads open connections: the client library is not ready for that by itself. */
void sql_library_start(void);

/* Text of control.def. */
typedef enum {
#define X(NAME, text) SQL_CONTROL_##NAME,
#include "lib/sql/control.def"
#undef X
    SQL_CONTROL_COUNT
} SqlControl;
const char *sql_control_text(SqlControl control);

/* Runs unprepared SQL, several statements when it holds several; results are thrown away. */
gboolean sql_run_text(Sql *sql, const char *text, GError **error);

/* Reconnects when the link is known to be lost and no transaction is open. */
gboolean sql_ensure_link(Sql *sql, GError **error);

/* Whether the parameters fit what the table says; INTERNAL when not. The letters are the statement's. */
gboolean sql_check_parameters(SqlStatement statement, const SqlParameter *parameters, guint n,
                              GError **error);
const char *sql_statement_letters(SqlStatement statement);

/* Sets error from a statement's failure. writes: it changes data. Returns FALSE. */
gboolean sql_fail_statement(Sql *sql, SqlStatement statement, gboolean writes, GError **error);

/* What a failure means. number is the server's or the client's error number; sent: the server may
 * have done what was asked. */
OutriderError sql_error_code(unsigned number, gboolean sent);

/* Sets error from a failed call, forgets the connection when the link is lost. Returns FALSE. */
gboolean sql_fail(Sql *sql, unsigned number, const char *text, const char *what, gboolean sent,
                  GError **error);
