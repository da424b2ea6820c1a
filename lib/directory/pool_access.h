/* SPDX-License-Identifier: MIT */
/*
 * Purpose: which organizations may use a pool for their servers and rules. The default pool is open to all.
 * Used by: the CLI.
 * May touch: the directory tables of MariaDB.
 * Threads: one connection per thread.
 *
 * Not on the mail path: what a server or rule names was allowed when it was written, and what is in use cannot
 * be taken away.
 */
#pragma once

#include "lib/directory/record.h"

/* NOT_FOUND: no such pool or organization. Doing it twice is no error. */
gboolean pool_access_allow(Sql *sql, const char *pool, const char *organization, GError **error);

/* REFUSED, naming the users, while servers or rules of it need the pool, and for the default pool; NOT_FOUND: it
 * was not allowed. */
gboolean pool_access_deny(Sql *sql, const char *pool, const char *organization, GError **error);

/* Array of the permalinks of those with a row of their own, of a pool's id. */
Record *pool_access_list(Sql *sql, gint64 pool, GError **error);
