/* SPDX-License-Identifier: MIT */
/*
 * Purpose: whether an SPF policy (RFC 7208) passes what another domain's policy passes. Texts in, verdict out; whoever asks
 *     looks names up.
 * Used by: lib/directory.
 * May touch: nothing.
 * Threads: any.
 * Limits: a record of at most PUBLISHED_TEXT_MAX octets; SPF_LOOKUPS_MAX look-ups, as receivers count them.
 *
 * Includes and redirects are followed, but not when a record names the domain itself, nor names with macros. Of an
 * include without a record receivers need not see a second: it is an error at once (section 5.2), so their limit of two void
 * look-ups (section 4.6.4) is never reached here. What a, mx, ptr and exists find is not asked; they count.
 */
#pragma once

#include <glib.h>

#define SPF_LOOKUPS_MAX 10

/* The TXT records of a name, g_ptr_array_unref; NULL: NOT_FOUND when it has none, else UNAVAILABLE. */
typedef GPtrArray *(*SpfLookup)(const char *name, gpointer data, GError **error);

typedef enum { SPF_COVERS, SPF_DIFFERS, SPF_UNKNOWN } SpfVerdict;

/* text: a policy; domain: whose policy it is to pass. *why (g_free): what is wrong with it, or why it could not be known;
 * untouched when it covers. */
SpfVerdict spf_covers(const char *text, const char *domain, SpfLookup lookup, gpointer data,
                      char **why);
