/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the lines that a timeline is made of.
 * Used by: the explain command.
 * May touch: stdout.
 * Threads: one.
 */
#pragma once

#include "lib/directory/record.h"

/* "  TIME  DELAY  what"; start is 0 for what has nothing before it. */
void timeline_at(gint64 at, gint64 start, const char *what);

/* More about the line above. */
void timeline_more(const char *label, const char *text);

/* A member as people read it; g_free. */
char *timeline_text(const Record *record, const char *key);

/* The same of a TLS protocol; NULL is "no TLS". */
char *timeline_tls(const Record *record, const char *key);
