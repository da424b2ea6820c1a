/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what was tracked in a message, and who came by its links and its pixel: people or machines.
 * Used by: the message and explain commands.
 * May touch: MariaDB, by reading; visitors_file; stdout.
 * Threads: one.
 * Limits: those of lib/history/visits.h; VISITS_SHOWN_MAX visits are told one by one.
 */
#pragma once

#include "cli/command.h"
#include "lib/directory/record.h"

#define VISITS_SHOWN_MAX 100

/* As history_visits_add, of a message that history_complete was called for. */
gboolean visits_complete(Cli *cli, Record *message, GError **error);

/* Two tables, of links and of visits, unless there is nothing in them. */
void visits_print_tables(const Record *message);

/* What was tracked and what was not, as lines of the timeline. */
void visits_print_tracking(const Record *message);

/* One visit, as a step of the timeline. */
void visits_print_step(const Record *visit, gint64 start);
