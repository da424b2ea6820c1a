/* SPDX-License-Identifier: MIT */
/*
 * Purpose: octets and characters that nobody can guess.
 * Used by: lib/seal, lib/directory.
 * May touch: the random source.
 * Threads: any.
 */
#pragma once

#include <glib.h>

#define RANDOM_DIGITS   "0123456789"
#define RANDOM_SMALL    "abcdefghijklmnopqrstuvwxyz"
#define RANDOM_CAPITALS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* FALSE: UNAVAILABLE, the random source gives nothing, and octets hold nothing of use. */
gboolean random_octets(guint8 *octets, gsize length, GError **error);

/* Characters of an alphabet of at most 256, each equally likely. NULL: as above. g_free. */
char *random_text(const char *alphabet, gsize length, GError **error);
