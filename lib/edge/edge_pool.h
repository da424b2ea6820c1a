/* SPDX-License-Identifier: MIT */
/*
 * Purpose: read-only connections to one replica file, each with its prepared statements, lent out
 *     one unit of work at a time.
 * Used by: the readers of lib/edge only.
 * May touch: the replica file, -wal and -shm, read-only.
 * Threads: any; a lent connection belongs to the borrower.
 * Limits: EDGE_POOL_IDLE_MAX connections are kept; more are opened when more are asked for at once.
 *     A lock is waited for at most EDGE_POOL_BUSY_MS. A file that was put in the place
 *     of another is noticed within EDGE_POOL_LOOK_MS.
 */
#pragma once

#include <glib.h>
#include <sqlite3.h>

#include "lib/edge/edge.h"

#define EDGE_POOL_IDLE_MAX 16
#define EDGE_POOL_BUSY_MS  250
#define EDGE_POOL_LOOK_MS  100

/* Statement ids; EDGE_STATEMENT_COUNT is their number. */
typedef enum {
#define X(NAME, sql) EDGE_STATEMENT_##NAME,
#include "lib/edge/edge_statement.def"
#undef X
    EDGE_STATEMENT_COUNT
} EdgeStatement;

typedef struct EdgePool EdgePool;
typedef struct EdgeLink EdgeLink;

EdgePool *edge_pool_new(const char *edge_dir, EdgeFile file);
void edge_pool_free(EdgePool *pool);

/* Borrows a connection to the file that stands there. UNAVAILABLE, with what to do in the text. */
EdgeLink *edge_pool_take(EdgePool *pool, GError **error);

/* The same, by the replica that is asked. */
EdgeLink *edge_link_take(Edge *edge, EdgeFile file, GError **error);

/* Gives it back: statements are reset; a link that had an error is closed. Accepts NULL. */
void edge_link_return(EdgeLink *link);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EdgeLink, edge_link_return)

/* The statement, reset and without parameters; NULL and UNAVAILABLE when it cannot be prepared. */
sqlite3_stmt *edge_link_statement(EdgeLink *link, EdgeStatement id, GError **error);

/* Steps: 1 a row, 0 the end, -1 UNAVAILABLE (the link will not be used again). */
int edge_link_step(EdgeLink *link, sqlite3_stmt *statement, GError **error);

/* A column of the row that was stepped to; NULL is "". g_free. */
char *edge_link_text(sqlite3_stmt *row, int column);
