/* SPDX-License-Identifier: MIT */
/*
 * Purpose: numbers of a running program in a mapped file, so that the CLI sees them without asking it.
 * Used by: the tracking daemon (writes); CLI (reads). Which number is which, a table says, such as track_counter.def.
 * May touch: the file it is told.
 * Threads: any; they are atomic.
 */
#pragma once

#include <glib.h>

typedef _Atomic guint64 Counter;

typedef enum {
#define X(NAME, text) TRACK_COUNTER_##NAME,
#include "lib/service/track_counter.def"
#undef X
    TRACK_COUNTER_COUNT
} TrackCounter;

/* <spool_dir>/trackd/counters. */
#define TRACK_COUNTER_FILE "trackd/counters"

/* Makes the file with n zeros in the place of whatever was there, and maps it; counters_unmap. IO. */
Counter *counters_make(const char *path, guint n, GError **error);

/* Reads n numbers. FALSE: NOT_FOUND, or CORRUPT (not so many). */
gboolean counters_read(const char *path, guint64 *values, guint n, GError **error);

void counters_unmap(Counter *counters, guint n);
