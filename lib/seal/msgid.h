/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the value of X-Outrider-MsgID: the message's token, then its id under a MAC, which says that this
 *     installation made the message.
 *         TOKEN-SEALED        SEALED: a sealed id (lib/seal/sealed_id.h) of kind 1
 *     Bound are "mi1" and the token; so neither half fits another one, and no return path can be taken for it.
 *     Like a return path it is no secret: whoever receives the message can copy it.
 * Used by: the milter (seal), outrider-queue (open), the CLI (read).
 * May touch: nothing.
 * Threads: any.
 * Limits: MSGID_LENGTH characters, so that the field is one line of less than 78 octets; server below 2^24.
 */
#pragma once

#include <glib.h>

#include "lib/seal/sealed_id.h"
#include "lib/seal/token.h"

#define MSGID_FIELD  "X-Outrider-MsgID"
#define MSGID_LENGTH (TOKEN_LENGTH + 1 + SEALED_ID_LENGTH)

typedef struct {
    char token[TOKEN_LENGTH + 1];
    guint64 id;
    guint32 server;
} Msgid;

/* The value; g_free. What is over its limit is a programming error and gives NULL. */
char *msgid_seal(const KeyRing *ring, const Msgid *msgid);

/* Opens a value. FALSE and FORGED: not one, or not of this installation; *msgid is then untouched. */
gboolean msgid_open(const KeyRing *ring, const char *text, Msgid *msgid, GError **error);

/* What a value claims to be, without a key. FALSE: it has not the form of one. */
gboolean msgid_read(const char *text, Msgid *msgid);
