/* SPDX-License-Identifier: MIT */
/*
 * Purpose: base64url without padding (RFC 4648 section 5), the form of what is sealed and travels as text.
 * Used by: lib/seal's formats.
 * May touch: nothing.
 * Threads: any.
 * Limits: the caller's.
 */
#pragma once

#include <glib.h>

/* g_free. */
char *base64url_encode(const guint8 *octets, gsize length);

/* The octets of a text, with a NUL behind them; g_free. NULL: empty, or not the one text that encodes them. */
guint8 *base64url_decode(const char *text, gsize *length);
