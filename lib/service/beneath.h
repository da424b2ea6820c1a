/* SPDX-License-Identifier: MIT */
/*
 * Purpose: opens a file below a directory in which others can make links, without following one.
 * Used by: outrider-queue.
 * May touch: nothing itself.
 * Threads: any.
 */
#pragma once

/* Opens path, relative to directory, with the flags of open(2) (not O_CREAT). Nothing on the way below directory
 * may be a link, nor is a FIFO or device waited for. A close-on-exec fd; -1 with errno, ELOOP or ENOTDIR for a
 * link. */
int beneath_open(const char *directory, const char *path, int flags);
