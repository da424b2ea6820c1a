/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the sealed link: which message, which link of it and where to, under a MAC. A link is its own row: nobody needs to
 *     look anything up, and nobody can make one that leads elsewhere.
 *         version:4 key:4 flags:8 id:56 server:24 ordinal:16 URL MAC:96          in base64url
 *     The MAC is HMAC-SHA256, truncated, over "lk1", the host (lower case, length octet before it) and all octets before it;
 *     integers big-endian. Flag 1: an open pixel, whose URL is empty.
 * Used by: the milter (seal), the tracking daemon (open).
 * May touch: nothing.
 * Threads: any.
 * Limits: server below 2^24; a URL of LINK_URL_MAX octets, a host of 253.
 *
 * The URL is what stood in the message: it may have spaces and UTF-8 in it. Who redirects writes it as a header field may have it.
 */
#pragma once

#include <glib.h>

#include "lib/seal/ring.h"

#define LINK_URL_MAX    2000
#define LINK_SERVER_MAX 0xffffff
#define LINK_TOKEN_MAX  2702 /* characters */

typedef enum { LINK_CLICK, LINK_OPEN } LinkKind;

typedef struct {
    LinkKind kind;
    guint16 ordinal;
    guint32 server;
    guint64 id;
    char *url; /* absolute, http or https, without control characters; of an open pixel "" */
} Link;

void link_free(Link *link);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Link, link_free)

/* Whether a URL may be sealed. */
gboolean link_url_is_fit(const char *url);

/* The token for a link at a host; g_free. A value over its limit is a programming error and gives NULL. */
char *link_seal(const KeyRing *ring, const Link *link, const char *host);

/* Opens a token that came to a host (any case). NULL and FORGED: not ours, another kind, another host, bad MAC, unknown key. */
Link *link_open(const KeyRing *ring, LinkKind kind, const char *token, const char *host,
                GError **error);
