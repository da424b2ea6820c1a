/* SPDX-License-Identifier: MIT */
/*
 * Purpose: octets with some ranges replaced, and everything else as it was.
 * Used by: lib/mime, lib/tracking.
 * May touch: nothing.
 * Threads: any; a list belongs to one at a time.
 */
#pragma once

#include <glib.h>

/* Octets [from, to) give way to text. */
typedef struct {
    gsize from;
    gsize to;
    GString *text;
} Splice;

/* An empty list, a GArray of Splice that frees its texts. */
GArray *splice_list_new(void);

/* Appends one and takes text. */
void splice_add(GArray *list, gsize from, gsize to, GString *text);

/* Puts the list in order; FALSE: two ranges overlap. */
gboolean splice_sort(GArray *list);

/* Appends data's octets from `from' on with the list applied, which is in order and lies within. */
void splice_join(const GArray *list, const char *data, gsize from, gsize length, GString *out);
