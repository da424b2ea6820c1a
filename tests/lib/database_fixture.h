/* SPDX-License-Identifier: MIT */
/*
 * Purpose: databases with our tables on a test's MariaDB.
 * Used by: tests of lib/directory and of the worker.
 * May touch: the server of a MariadbFixture.
 * Threads: one.
 * Limits: what does not work ends the program.
 */
#pragma once

#include "lib/sql/sql.h"
#include "tests/lib/mariadb_fixture.h"

/* Makes a database with our tables; a connection to it, sql_close. */
Sql *database_fixture_open(MariadbFixture *server, const char *name);

/* One test's own. */
typedef struct {
    MariadbFixture *server;
    char *name;
    Sql *sql;
    guint64 domain; /* id of the one that a test is about; 0: none */
} Database;

Database *database_new(MariadbFixture *server);

/* The teardown of a test whose state it is. */
int database_teardown(void **state);

/* What SQL prints, without white space at its end; g_free. */
char *database_run(const Database *database, const char *sql);

void assert_rows(const Database *database, const char *sql, const char *wanted);
