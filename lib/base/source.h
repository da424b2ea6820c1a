/* SPDX-License-Identifier: MIT */
/*
 * Purpose: octets of a known length that are read in pieces, from wherever they lie: in memory, in a file.
 * Used by: lib/mime, lib/http, outrider-pipe.
 * May touch: what its reader does.
 * Threads: one at a time.
 * Limits: none of its own. What cannot be read is not the end: failed says why, and stays.
 */
#pragma once

#include <glib.h>

/* As pread(2): octets read, fewer than room allowed; -1 with errno. at + room is within the length. */
typedef gssize (*SourceRead)(gconstpointer context, gsize at, void *to, gsize room);

typedef struct {
    SourceRead read;
    gconstpointer context;
    gsize length;
    int failed; /* errno of the first read that failed; 0: none has */
} Source;

/* Octets in memory, which must live as long. */
Source source_of(const void *octets, gsize length);

/* Octets from at on, as many as there is room for and as there are: fewer than these only when reading failed. */
gsize source_read(Source *source, gsize at, void *to, gsize room);

/* TRUE: nothing failed. Else IO, or what errno says; what names it. */
gboolean source_is_whole(const Source *source, const char *what, GError **error);
