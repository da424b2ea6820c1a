/* SPDX-License-Identifier: MIT */
/*
 * Purpose: who came by the links and the pixel of a message, people and machines.
 * Used by: the CLI, the API.
 * May touch: MariaDB, by reading; visitors_file.
 * Threads: one connection per thread.
 * Limits: the first HISTORY_VISITS_MAX visits of a message are looked at.
 */
#pragma once

#include "lib/config/config.h"
#include "lib/directory/record.h"
#include "lib/tracking/visitor.h"

#define HISTORY_VISITS_MAX 5000

/* Visitors that are known, and the admin's own (visitors_file) behind them. NOT_FOUND, INVALID. */
VisitorList *history_visitors(const Config *config, GError **error);

/* Adds to a message that has `id', `status' and its `deliveries': `tracking` (null: nothing was tracked; else host, links with
 * their ordinal, url, clicks and clicks_by_machines, pixel, growth, skipped), `visits` with mark and machine, and the counts
 * `clicks`, `clicks_by_machines`, `opens` and `opens_by_machines` of them. */
gboolean history_visits_add(Sql *sql, const VisitorList *list, Record *message, GError **error);
