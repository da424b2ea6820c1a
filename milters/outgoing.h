/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the message as it will leave, made from one admitted message: ready to be put into effect.
 * Used by: the milter.
 * May touch: the replicas, through lib/edge; the keys.
 * Threads: any; one message each.
 */
#pragma once

#include "milters/dispatch.h"
#include "milters/session.h"

typedef struct {
    guint64 id;
    char token[17];
    DispatchVerdict verdict;
    MimeWireSafe safe;
    GPtrArray *edits;   /* of Edit; message->fields is what they lead to */
    GPtrArray *labels;  /* "domain:selector:algorithm" */
    GPtrArray *skipped; /* static reasons */
    char *return_path;  /* "": the sender is null and stays so */
    char *from;
    char *tag;
    guint32 domain;
} Outgoing;

void outgoing_free(Outgoing *outgoing);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Outgoing, outgoing_free)

/* Called now and then during long work. */
typedef void (*OutgoingTick)(gpointer data);

/* Admits and prepares session->message (fields and body change). NULL: *refusal says why; what failed
 * inside is logged and REFUSAL_INTERNAL or _SPACE. */
Outgoing *outgoing_prepare(Session *session, Shared *shared, const EdgeCredential *credential,
                           const char *queue_id, OutgoingTick tick, gpointer data,
                           RefusalName *refusal);
