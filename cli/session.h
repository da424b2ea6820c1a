/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what commands need of the outside, opened when first asked for.
 * Used by: the files of cli/.
 * May touch: the configuration file, MariaDB.
 * Threads: one.
 */
#pragma once

#include "cli/command.h"

/* The configuration, or NULL with error set. Stays owned by cli. */
const Config *cli_config(Cli *cli, GError **error);

/* The database; a schema that is missing or too old is UNAVAILABLE. */
Sql *cli_sql(Cli *cli, GError **error);

/* The same without looking at the schema. */
Sql *cli_sql_any_schema(Cli *cli, GError **error);

void cli_clear(Cli *cli);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Cli, cli_clear)
