/* SPDX-License-Identifier: MIT */
/*
 * Purpose: a message id and its server under a MAC, as text: what sealed return paths and message ids have in
 *     common.
 *     Base32 (a-z2-7, lower case, unpadded) of
 *         version:4 key:4 kind:3 id:53 server:24 MAC:64
 *     = 19 octets, 31 characters. The MAC is HMAC-SHA256, truncated, over what the caller binds, which begins with
 *     a label of its own, and the first 11 octets; integers big-endian.
 * Used by: lib/seal/return_path.h, lib/seal/msgid.h.
 * May touch: nothing.
 * Threads: any.
 * Limits: kind below 8, server below 2^24, SEALED_ID_BOUND_MAX octets that are bound.
 */
#pragma once

#include <glib.h>

#include "lib/seal/ring.h"

#define SEALED_ID_LENGTH     31
#define SEALED_ID_KIND_MAX   7
#define SEALED_ID_SERVER_MAX 0xffffff
#define SEALED_ID_BOUND_MAX  320

typedef struct {
    guint kind;
    guint64 id;
    guint32 server;
} SealedId;

/* What the MAC is over besides; two uses must never bind the same octets. */
typedef struct {
    guint8 octets[SEALED_ID_BOUND_MAX];
    gsize length;
} SealedBound;

/* Writes the text and a NUL. A value over its limit is a programming error and gives FALSE. */
gboolean sealed_id_seal(const KeyRing *ring, const SealedId *sealed, const SealedBound *bound,
                        char text[SEALED_ID_LENGTH + 1]);

/* Opens the first SEALED_ID_LENGTH characters of text, in any case; what comes behind them is the caller's to
 * judge. FALSE: too few, not the one encoding, bad MAC or unknown key; *sealed is then untouched. */
gboolean sealed_id_open(const KeyRing *ring, const char *text, const SealedBound *bound,
                        SealedId *sealed);

/* The same without looking at the MAC: what it claims to be. */
gboolean sealed_id_read(const char *text, SealedId *sealed);
