/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what a request to the tracking host is for.
 * Used by: trackd.
 * May touch: nothing.
 * Threads: any.
 */
#pragma once

#include <glib.h>

#include "lib/seal/link.h"

typedef enum {
    ASKED_HELLO,     /* "/" */
    ASKED_CLICK,     /* "/c/TOKEN" */
    ASKED_OPEN,      /* "/o/TOKEN" */
    ASKED_NOTHING,   /* any other path */
    ASKED_BY_METHOD, /* not GET or HEAD, whatever the path is */
} AskedKind;

typedef struct {
    AskedKind kind;
    const char *token; /* of a click or an open, in path; never longer than one can be */
} Asked;

Asked asked_read(const char *method, const char *path);

/* The link that a token is at a host; owner: the server whose host this is, 0: nobody's that is known. The token must be of the
 * owner; of a host that nobody is known to own the MAC alone decides, as it is over the host: who deletes a track domain, or
 * loses the replica, must not break links that were mailed. NULL: none. */
Link *asked_link(const Asked *asked, const KeyRing *ring, const char *host, guint32 owner);
