/* SPDX-License-Identifier: MIT */
/*
 * Purpose: a table of at most so many entries by text; the one that was touched longest ago makes room.
 * Used by: lib/base/penalty, policyd, the milter.
 * May touch: nothing.
 * Threads: one at a time.
 * Limits: those that it is made with.
 */
#pragma once

#include <glib.h>

typedef struct Recent Recent;

/* max: entries, at least 1; size: octets of one. */
Recent *recent_new(guint max, gsize size);
void recent_free(Recent *recent);

/* The entry of that key, borrowed until the table changes; NULL: there is none. */
gpointer recent_find(const Recent *recent, const char *key);

/* The same, which is the last to go now; a new one is all zero. */
gpointer recent_touch(Recent *recent, const char *key);

/* The entry that goes first, borrowed; NULL: there is none. */
gpointer recent_eldest(const Recent *recent);
void recent_drop_eldest(Recent *recent);

guint recent_count(const Recent *recent);
