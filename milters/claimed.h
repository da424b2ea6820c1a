/* SPDX-License-Identifier: MIT */
/*
 * Purpose: DISPATCH of one message that was admitted before, as its claim proves.
 * Used by: inject, split.
 * May touch: the replicas, Postfix through libmilter, the store, the journal.
 * Threads: any; one message each.
 *
 * Who handed it in was told of its success, or is to be told: what cannot leave any more is discarded, with its reason in history.
 */
#pragma once

#include <libmilter/mfapi.h>

#include "milters/outgoing.h"
#include "milters/session.h"

typedef struct {
    SMFICTX *context;
    Session *session;
    Shared *shared;
    const Claim *claim;
    guint index; /* the message's place in its submission */
    const char *queue_id;
    const OutgoingTick *tick;
    gboolean hop; /* it came back from the hop; else it may still go there */
} Claimed;

typedef enum {
    CLAIMED_TAKEN,     /* done and durable */
    CLAIMED_DISCARDED, /* to be discarded, journalled */
    CLAIMED_PUT_OFF, /* *refusal says why; Postfix and message are as they were. Without hop also: it has to go there (NONE) */
    CLAIMED_FAILED,  /* *refusal, a 4xx; Postfix knows of some changes, and must not keep them */
} ClaimedEnd;

/* Dispatches the session's message. What was wrong on our side is in error, too. */
ClaimedEnd claimed_dispatch(const Claimed *claimed, RefusalName *refusal, GError **error);
