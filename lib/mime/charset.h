/* SPDX-License-Identifier: MIT */
/*
 * Purpose: text in whatever charset it says it is in, as UTF-8.
 * Used by: lib/mime/read.
 * May touch: nothing.
 * Threads: any.
 * Limits: the caller's. What has no place in UTF-8, or in the charset, becomes U+FFFD.
 */
#pragma once

#include <glib.h>

/* Valid UTF-8 without NUL, lines ended by LF; g_free. charset NULL: none was said. windows-1258 is read as windows-1252, as mail with
 * that label is; octets beyond ASCII without a label are UTF-8, or else windows-1252; a charset that nobody knows is ASCII. */
char *charset_text(const char *charset, const char *data, gsize length);
