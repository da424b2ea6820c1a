/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the limits in force, and which of them a message falls under.
 * Used by: policyd/limits.c.
 * May touch: nothing.
 * Threads: one.
 * Limits: LIMIT_TABLE_FOUND_MAX limits on one message.
 */
#pragma once

#include "lib/edge/edge_limit.h"

#define LIMIT_TABLE_FOUND_MAX                                                                      \
    16 /* organization, server, credential, domain; of each four periods */

/* What a message is; 0 and NULL: it has none. */
typedef struct {
    guint32 organization, server, credential;
    const char *domain; /* as address_domain makes it */
    const char *user;
} LimitsFacts;

typedef struct {
    guint n;
    const EdgeLimit *limits[LIMIT_TABLE_FOUND_MAX];
} LimitsFound;

typedef struct LimitTable LimitTable;

/* Takes all (GArray of EdgeLimit). */
LimitTable *limit_table_new(GArray *all);
void limit_table_free(LimitTable *table);

/* NULL: there is no such limit. What is found lives as long as the table. */
const EdgeLimit *limit_table_by_id(const LimitTable *table, guint32 limit);
LimitsFound limit_table_find(const LimitTable *table, const LimitsFacts *facts);
