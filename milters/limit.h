/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what the limits say of one message at DISPATCH.
 * Used by: the milter's outgoing.
 * May touch: the replicas, through lib/edge; policyd, through the meter.
 * Threads: any.
 */
#pragma once

#include "lib/edge/edge.h"
#include "milters/meter.h"
#include "milters/shared.h"

typedef struct {
    gboolean reached;
    LimitAction action;  /* of the gravest that is reached */
    char *text;          /* for the client and Postfix's hold queue; NULL: none is reached */
    char *reason;        /* the same with the counter of that moment, for history */
    MeterCharge *charge; /* NULL: nothing to charge */
} LimitOutcome;

void limit_outcome_clear(LimitOutcome *outcome);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(LimitOutcome, limit_outcome_clear)

/* Charges the message, unless nothing limits it or a limit is reached. UNAVAILABLE: replica or policyd
 * cannot be asked. */
gboolean limit_message(Shared *shared, const EdgeCredential *credential, guint64 id,
                       const char *rcpt, LimitOutcome *outcome, GError **error);
