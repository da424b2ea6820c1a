/* SPDX-License-Identifier: MIT */
/*
 * Purpose: whether a recipient is suppressed, as the replica has it.
 * Used by: policyd and the milter, which must come to the same.
 * May touch: <edge_dir>/edge-suppression.5.db, read-only.
 * Threads: any.
 * Limits: as edge.h. A look is six steps in one index, however many there are.
 */
#pragma once

#include "lib/base/suppression.h"
#include "lib/edge/edge.h"

typedef struct {
    guint64 id;
    SuppressionScope scope;
    char *address; /* or "@domain" */
    char *source;  /* as the directory says it */
    char *reason;
    gint64 created_at; /* Unix seconds */
    gint64 expires_at; /* 0: never */
} EdgeSuppression;

void edge_suppression_free(EdgeSuppression *suppression);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EdgeSuppression, edge_suppression_free)

/* What suppresses a recipient at now (Unix seconds) for a credential's server, its organization or the installation:
 * the address before its domain, the nearest scope first. *found becomes NULL when nothing does. FALSE: UNAVAILABLE. */
gboolean edge_suppression_find(Edge *edge, const EdgeCredential *credential, const char *recipient,
                               gint64 now, EdgeSuppression **found, GError **error);

/* "a@b.test is suppressed for server acme/main: REASON (hard_fail, since 2026-11-25, until 2026-12-25)"; g_free. */
char *edge_suppression_text(const EdgeSuppression *suppression, const EdgeCredential *credential);
