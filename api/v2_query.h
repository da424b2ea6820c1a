/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the query of a request to API v2.
 * Used by: apid.
 * May touch: nothing.
 * Threads: any.
 * Limits: V2_LIMIT_MAX items in a page; each parameter once.
 */
#pragma once

#include "api/v2_error.h"
#include "api/v2_path.h"

#define V2_LIMIT     50
#define V2_LIMIT_MAX 1000

typedef struct {
    guint limit; /* of a list */
    char *after; /* NULL: from the first on */
    gboolean force;
} V2Query;

void v2_query_clear(V2Query *query);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(V2Query, v2_query_clear)

/* text as sent, NULL: none. FALSE: problem is filled. */
gboolean v2_query_read(const V2Resource *resource, V2Verb verb, const char *text, V2Query *query,
                       V2Problem *problem);
