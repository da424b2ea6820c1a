/* SPDX-License-Identifier: MIT */
/*
 * Purpose: reads from history the messages of this node whose end is not known, page by page.
 * Used by: reconciler; its test.
 * May touch: MariaDB (tables message and submission, read).
 * Threads: one connection per thread.
 * Limits: RECONCILE_PAGE messages a page.
 */
#pragma once

#include "lib/sql/sql.h"
#include "worker/reconcile.h"

#define RECONCILE_PAGE 500

/* Of which messages, and behind which. */
typedef struct {
    guint node;
    const char *status;
    guint64 after;    /* id of the last one that was read; 0: from the first */
    gint64 before_us; /* only those whose status is older (Unix microseconds) */
} ReconcileRange;

/* The next page as an array of ReconcileMessage in order of id, empty at the end. NULL: the database's
 * error. */
GArray *reconcile_page(Sql *sql, const ReconcileRange *range, GError **error);
