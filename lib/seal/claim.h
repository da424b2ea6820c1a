/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the claim: what ADMIT found out and reserved, carried under a MAC through Postfix's queue to
 *     DISPATCH, in a header field that never leaves.
 *         v1.<key>.<JSON>.<MAC>          key decimal, JSON and MAC in base64url without padding
 *     JSON: {"exp", "dir": "out", "base", "seed", "rcpts", "server", "credential", "mail_from",
 *     "body", "tag" (if the API was told one)}; of mail that came in, for several endpoints, "dir" is "in", there is no
 *     credential, and "to" is the recipient that it came for. rcpts are the recipients' hashes one after the other, in the order of their ids. The MAC is
 *     HMAC-SHA256, whole, over "cl1", the key's number (one octet) and the JSON. White space anywhere
 *     in the text means nothing: header fields are folded.
 * Used by: the milter; lib/submission, which injects behind ADMIT.
 * May touch: nothing.
 * Threads: any.
 * Limits: CLAIM_RECIPIENTS_MAX recipients; a text of at most CLAIM_TEXT_MAX octets.
 */
#pragma once

#include <glib.h>

#include "lib/seal/ring.h"
#include "lib/seal/token.h"

#define CLAIM_FIELD            "X-Outrider-Claim"
#define CLAIM_RECIPIENTS_MAX   1000
#define CLAIM_TEXT_MAX         32768 /* Postfix cuts a header field at 60,000 octets */
#define CLAIM_RECIPIENT_LENGTH 8
#define CLAIM_BODY_LENGTH      32
#define CLAIM_GRACE            (24 * 60 * 60) /* seconds that it is good for beyond the queue's lifetime */

typedef struct {
    gint64 expires_at; /* Unix seconds */
    guint64 base;      /* id of the first recipient's message */
    guint32 server;
    guint32 credential;
    guint8 seed[TOKEN_SEED_LENGTH];
    guint8 body[CLAIM_BODY_LENGTH];
    char *mail_from; /* envelope sender as the client gave it; "": null */
    char *tag;       /* NULL: none is told here */
    /* What came in for that recipient (rcpts are its endpoints, credential is 0); NULL: it goes out. */
    char *rcpt_to;
    GByteArray *rcpts; /* CLAIM_RECIPIENT_LENGTH octets each */
} Claim;

Claim *claim_new(const char *mail_from);
void claim_free(Claim *claim);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Claim, claim_free)

/* Appends a recipient (address without brackets). */
void claim_add_recipient(Claim *claim, const char *address);

/* How many recipients there are. */
guint claim_recipients(const Claim *claim);

/* Which recipient (from 0) an address is, in any case; FALSE: none of them. */
gboolean claim_find_recipient(const Claim *claim, const char *address, guint *index);

/* SHA-256 of a body; a last line without its end counts as if it had one, as SMTP adds it. */
void claim_hash_body(const char *body, gsize length, guint8 hash[CLAIM_BODY_LENGTH]);

/* The claim's text; g_free. */
char *claim_seal(const KeyRing *ring, const Claim *claim);

/* A claim's text as a field's value, folded to lines that SMTP allows, with that line end. g_free. */
char *claim_fold(const char *text, const char *line_end);

/* Opens a text. FORGED: not a claim, an unknown key, a MAC that does not verify; INVALID: expired at
 * now (Unix seconds). */
Claim *claim_open(const KeyRing *ring, const char *text, gint64 now, GError **error);
