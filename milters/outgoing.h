/* SPDX-License-Identifier: MIT */
/*
 * Purpose: a message as it will leave, made from one that was admitted: ready to be put into effect.
 * Used by: the milter.
 * May touch: the replicas, through lib/edge; the keys.
 * Threads: any; one message each.
 */
#pragma once

#include "lib/seal/token.h"
#include "milters/author.h"
#include "milters/dispatch.h"
#include "milters/limit.h"
#include "milters/refusal.h"
#include "milters/track.h"

/* What ADMIT reserved for a submission: message i of it has the id id_at(base, i), and its token from
 * seed and i. A retry of a later step finds the same ones. */
typedef struct {
    guint64 base;
    guint8 seed[TOKEN_SEED_LENGTH];
    gboolean hop;    /* its messages come one by one, through the hop */
    gboolean again;  /* a message of the same id may have been taken before */
    const char *tag; /* borrowed; NULL: its header says it, if anything does */
} Reserved;

typedef struct {
    Reserved reserved;
    guint64 id;
    char token[TOKEN_LENGTH + 1];
    DispatchVerdict verdict;
    MimeWireSafe safe;
    Tracked tracked;
    gboolean body_changed;
    GPtrArray *edits;   /* of Edit; message->fields is what they lead to */
    GPtrArray *labels;  /* "domain:selector:algorithm" */
    GPtrArray *skipped; /* of text: what did not happen to it, and why */
    LimitOutcome limit;
    char *suppressed;    /* why its recipient is, as history tells it; NULL: is not */
    RefusalName refusal; /* REFUSAL_NONE, or it does not leave: nothing else is made then */
    char *wait;          /* why it has to, by its pool; NULL: it has not */
    /* A transport, told by a header, as a null sender tells no lane; NULL: its sender does. */
    char *way;
    char *sender; /* the envelope sender that it gets; NULL: the one that it has */
    char *to;     /* the recipient that it gets; NULL: the one that it has */
    Origin origin;
    const char *why;   /* of the refusal; borrowed from the above */
    char *msgid;       /* of lib/seal/msgid.h */
    char *return_path; /* "": the sender is null and stays so; NULL: it stays what it is */
    char *from;
    char *tag;
    guint32 domain;
} Outgoing;

void outgoing_free(Outgoing *outgoing);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Outgoing, outgoing_free)

/* Called now and then during long work. */
typedef struct {
    void (*call)(gpointer data);
    gpointer data;
} OutgoingTick;

/* Postfix has it: what was charged stays. Without this, outgoing_free gives it back. */
void outgoing_taken(Outgoing *outgoing);

/* Reserves n ids and a seed for what nothing was reserved for yet; all else in it is FALSE and NULL. UNAVAILABLE. */
gboolean outgoing_reserve(Shared *shared, guint n, Reserved *reserved, GError **error);

/* The index-th message of what was reserved, with its id and token and nothing else. */
Outgoing *outgoing_new(const Reserved *reserved, guint index);

/* Seals its X-Outrider-MsgID. INTERNAL. */
gboolean outgoing_seal_id(Outgoing *outgoing, Shared *shared, guint32 server, GError **error);

/* Makes the index-th message of a submission out of what was received (whose fields and body change).
 * Errors are temporary: a replica, a key or a seal is not to be had now. */
Outgoing *outgoing_prepare(const Reserved *reserved, guint index, Message *message, Shared *shared,
                           const EdgeCredential *credential, const Author *author,
                           const OutgoingTick *tick, GError **error);
