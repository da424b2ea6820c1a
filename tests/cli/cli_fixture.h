/* SPDX-License-Identifier: MIT */
/*
 * Purpose: outrider(1) as an admin types it, against a real MariaDB with a small directory: organization
 *     acme with server acme/main, domain acme.test and credential app; pool main with 192.0.2.1.
 * Used by: tests only.
 * May touch: a directory of its own under $TMPDIR.
 * Threads: one.
 */
#pragma once

#include <json-c/json.h>

#include "tests/lib/mariadb_fixture.h"

extern MariadbFixture *cli_server; /* database "cli" */
extern char *cli_dir;              /* spool, edge, keys, queue and postfix are below it */
extern char *cli_config_file;

/* Setup and teardown of a group. */
int cli_fixture_start(void **state);
int cli_fixture_stop(void **state);

/* Runs it with words split at blanks, but `word' as it stands for %; returns the exit status. */
int run(const char *line, const char *word, char **out, char **err);

/* The same for what must succeed: what it prints (g_free), and that as JSON. */
char *run_good(const char *line);
struct json_object *run_json(const char *line);

void assert_has(const char *text, const char *part);

/* It ends with that status and one line that says so, without what a terminal would act upon. */
void assert_wrong(const char *line, const char *word, int status, const char *says);
