/* SPDX-License-Identifier: MIT */
/*
 * Purpose: how long a failed authentication of a source (as network_client names it) waits for its answer.
 * Used by: policyd and apid.
 * May touch: nothing.
 * Threads: one at a time.
 * Limits: PENALTY_SOURCES_MAX sources; the one whose failure is eldest is forgotten first.
 */
#pragma once

#include <glib.h>

#define PENALTY_SOURCES_MAX 65536

typedef struct Penalty Penalty;

/* All in milliseconds: first delay, longest delay, time after which a source is forgiven. */
Penalty *penalty_new(gint64 delay, gint64 delay_max, gint64 forget);
void penalty_free(Penalty *penalty);

/* Counts a failure at a time and returns the delay of its answer. */
gint64 penalty_fail(Penalty *penalty, const char *source, gint64 now);

guint penalty_count(const Penalty *penalty);
