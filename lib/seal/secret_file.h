/* SPDX-License-Identifier: MIT */
/*
 * Purpose: small text files that hold secrets.
 * Used by: lib/seal's formats.
 * May touch: the file it is told.
 * Threads: any.
 * Limits: the caller's maximum. A file that others may read is refused.
 */
#pragma once

#include <glib.h>

/* The text, for secret_forget. NULL: INVALID (larger than max octets, a NUL in it, no regular file, open to others), NOT_FOUND or
 * IO; the error names the path and never the contents. */
char *secret_file_read(const char *path, gsize max, GError **error);

/* Overwrites the text and frees it; accepts NULL. */
void secret_forget(char *text);
