/* SPDX-License-Identifier: MIT */
/*
 * Purpose: keys of rows that are made from what the row is about, so that what is applied again is the same row.
 * Used by: the worker's readers of log and journals.
 * May touch: nothing.
 * Threads: any.
 */
#pragma once

#include <glib.h>

/* Adds a text to what a SHA-256 checksum is made of, and an end that no text has. */
void row_key_add(GChecksum *sum, const char *text, gssize length);

/* The first 63 bits. */
guint64 row_key_end(GChecksum *sum);
