/* SPDX-License-Identifier: MIT */
/*
 * Purpose: a few connections to MariaDB for many threads, to read history or to manage the directory, so that a database which is
 *     away or slow costs little.
 * Used by: apid.
 * May touch: MariaDB: to read, a session is read-only and runs no other statements than those for API; to manage, none but those
 *     for MANAGE.
 * Threads: any; a connection belongs to one at a time.
 * Limits: as many connections as it was made for, opened when they are needed. Connecting, sending and each answer take 1 s at
 *     most (an answer to who manages 3 s), then it is UNAVAILABLE, and for SQL_POOL_REST_MS every call is at once; after that one looks while the others are told
 *     so still.
 */
#pragma once

#include "lib/sql/sql.h"

#define SQL_POOL_REST_MS 1000

typedef struct SqlPool SqlPool;

/* What it is for; each has options for its account. */
typedef enum { SQL_POOL_READS, SQL_POOL_MANAGES } SqlPoolUse;

/* The file with the password is read for each connection. config must outlive it. Nothing is opened yet. */
SqlPool *sql_pool_new(const Config *config, SqlPoolUse use, guint connections);
/* When nobody uses it. NULL is good. */
void sql_pool_free(SqlPool *pool);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SqlPool, sql_pool_free)

/* Works with a connection. It may be called twice: a link that broke while it was idle is made anew. Not after UNKNOWN_RESULT. */
typedef gboolean (*SqlPoolFunc)(Sql *sql, gpointer data, GError **error);

/* What func returns. UNAVAILABLE as well: the database is away, or all connections are busy for longer than a call may take. */
gboolean sql_pool_run(SqlPool *pool, SqlPoolFunc func, gpointer data, GError **error);
