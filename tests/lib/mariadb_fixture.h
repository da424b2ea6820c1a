/* SPDX-License-Identifier: MIT */
/*
 * Purpose: a private mariadbd in a temporary directory, on a UNIX socket only.
 * Used by: tests that need the real database.
 * May touch: a directory of its own under $TMPDIR; as root the server runs as user mysql or nobody.
 * Threads: one.
 * Limits: the server dies with the test program. Where mariadbd is not installed the test is skipped
 *     (exit status 77).
 */
#pragma once

#include <glib.h>

typedef struct {
    char *dir;
    char *socket; /* user root, no password */
    GPid pid;
    char *client;
    char *server;
} MariadbFixture;

/* Installs and starts a server; ends the program with 77 when MariaDB is not there. */
MariadbFixture *mariadb_fixture_start(void);

/* Stops the server and removes its directory. */
void mariadb_fixture_stop(MariadbFixture *fixture);

/* SIGKILL, and starting again on the same data. */
void mariadb_fixture_kill(MariadbFixture *fixture);
void mariadb_fixture_restart(MariadbFixture *fixture);

/* Makes an empty database. */
void mariadb_fixture_database(MariadbFixture *fixture, const char *name);

/* Runs SQL in a database with the command line client; its output (g_free). */
char *mariadb_fixture_run(MariadbFixture *fixture, const char *database, const char *sql);
