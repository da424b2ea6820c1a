/* SPDX-License-Identifier: MIT */
/*
 * Purpose: TXT records as DNS shows them: what one is, and whether it is the DKIM key (RFC 6376 section 3.6.1, RFC 8463)
 *     that is needed. Octets in, verdict out.
 * Used by: lib/directory, spf.h.
 * May touch: nothing.
 * Threads: any.
 * Limits: a record of at most PUBLISHED_TEXT_MAX octets.
 */
#pragma once

#include <glib.h>

#define PUBLISHED_TEXT_MAX 4096

/* NULL: verifiers will take the key from it; else why not, static. public_key: base64 without white space. */
const char *published_dkim_differs(const char *text, const char *algorithm, const char *public_key);

/* Whether it may hold that key, whatever else may be wrong with it: FALSE only if it is read and holds another or none. */
gboolean published_dkim_may_hold(const char *text, const char *public_key);

/* Whether it is an SPF record at all. */
gboolean published_is_spf(const char *text);

/* Whether it is a DMARC record (RFC 7489). */
gboolean published_is_dmarc(const char *text);
