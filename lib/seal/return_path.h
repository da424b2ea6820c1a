/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the sealed return path: which message a bounce is about, under a MAC.
 *     Local part: a sealed id (lib/seal/sealed_id.h), `-' and the lane in decimal. Bound are "rp1", the domain
 *     (lower case, length octet before it) and the lane (32 bits). Case folding on the way does no harm.
 * Used by: the milter (seal), the worker, policyd and the return pipe (open).
 * May touch: nothing.
 * Threads: any.
 * Limits: server below 2^24, lane 0..65535.
 */
#pragma once

#include <glib.h>

#include "lib/seal/sealed_id.h"

#define RETURN_PATH_TOKEN_LENGTH SEALED_ID_LENGTH
#define RETURN_PATH_LOCAL_MAX    (RETURN_PATH_TOKEN_LENGTH + 1 + 5)
#define RETURN_PATH_SERVER_MAX   SEALED_ID_SERVER_MAX
#define RETURN_PATH_LANE_MAX     65535

/* A regular expression (POSIX, GLib) of what stands before `-' in those of the kind RETURN_PATH_SUBMISSION,
 * and of no other kind: for maps, which cannot look at the MAC. */
#define RETURN_PATH_SUBMISSION_PATTERN "[a-z2-7][bfjnrvz5][q-z2-7][a-z2-7]{28}"

typedef enum {
    RETURN_PATH_MESSAGE = 1,
    RETURN_PATH_FORWARD = 2,
    RETURN_PATH_SUBMISSION = 3,
} ReturnPathKind;

typedef struct {
    ReturnPathKind kind;
    guint64 id;
    guint32 server;
    guint32 lane;
} ReturnPath;

/* The longest domain whose return path is an address that SMTP takes (RFC 5321 section 4.5.3.1.3: 254 octets). */
#define RETURN_PATH_DOMAIN_MAX (254 - 1 - RETURN_PATH_LOCAL_MAX)

/* "token-lane@domain", without angle brackets; g_free. A value over its limit is a programming
 * error and gives NULL. */
char *return_path_seal(const KeyRing *ring, const ReturnPath *path, const char *domain);

/* Opens an address (any case, no angle brackets), in whatever domain it was sealed for: the MAC covers that. FALSE and
 * FORGED: not ours, another domain, bad MAC or unknown key; path is then untouched. */
gboolean return_path_open(const KeyRing *ring, const char *address, ReturnPath *path,
                          GError **error);
