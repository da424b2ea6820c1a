/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what was tracked in a message, and who came by its links and its pixel: people or machines.
 * Used by: the message and explain commands.
 * May touch: MariaDB, by reading; visitors_file; stdout.
 * Threads: one.
 * Limits: the first VISITS_MAX visits of a message are looked at, VISITS_SHOWN_MAX of them told one by one.
 */
#pragma once

#include "cli/command.h"
#include "lib/directory/record.h"

#define VISITS_MAX       5000
#define VISITS_SHOWN_MAX 100

/* Adds to a message that history_complete was called for: `tracking` (null: nothing was tracked; else host, links with their
 * ordinal, url, clicks and clicks_by_machines, pixel, growth, skipped), `visits` with mark and machine, and the
 * counts `clicks`, `clicks_by_machines`, `opens` and `opens_by_machines` of them. */
gboolean visits_complete(Cli *cli, Record *message, GError **error);

/* Two tables, of links and of visits, unless there is nothing in them. */
void visits_print_tables(const Record *message);

/* What was tracked and what was not, as lines of the timeline. */
void visits_print_tracking(const Record *message);

/* One visit, as a step of the timeline. */
void visits_print_step(const Record *visit, gint64 start);
