/* SPDX-License-Identifier: MIT */
/*
 * Purpose: how long ago something was used, as one word.
 * Used by: lib/directory.
 * May touch: nothing.
 * Threads: any.
 */
#pragma once

#include <glib.h>

/* Of the time of last use (Unix seconds; 0: never) at now: Unused, Inactive (more than a year ago), Dormant (more
 * than six months), Quiet (more than a month) or Active; months of the calendar, in UTC. */
const char *usage_label(gint64 last_used_at, gint64 now);
