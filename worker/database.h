/* SPDX-License-Identifier: MIT */
/*
 * Purpose: opens the worker's connections to MariaDB, one at a time: the client library prepares
 *     itself with the first one and is not safe to enter from two threads until then.
 * Used by: the worker's threads.
 * May touch: MariaDB.
 * Threads: any.
 */
#pragma once

#include "lib/sql/sql.h"

/* As sql_open. */
Sql *database_open(const Config *config, GError **error);
