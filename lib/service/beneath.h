/* SPDX-License-Identifier: MIT */
/*
 * Purpose: opens a file below a directory in which others can make links, without following one, and counts files there.
 * Used by: outrider-queue.
 * May touch: nothing itself.
 * Threads: any.
 */
#pragma once

#include <glib.h>

/* Opens path, relative to directory, with the flags of open(2) (not O_CREAT). Nothing on the way below directory
 * may be a link, nor is a FIFO or device waited for. A close-on-exec fd; -1 with errno, ELOOP or ENOTDIR for a
 * link. */
int beneath_open(const char *directory, const char *path, int flags);

/* How many files there are below a directory, in subdirectories depth levels down; most: no more are counted. */
guint beneath_count(const char *directory, guint depth, guint most);
