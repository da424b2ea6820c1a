/* SPDX-License-Identifier: MIT */
/*
 * Purpose: charges that are not kept yet. Copies of one message that come at once, on connections of their
 *     own, share one charge: it stays when any of them was taken, and goes back when none was.
 * Used by: policyd's limit edge.
 * May touch: the counters, through limits.h.
 * Threads: one.
 * Limits: none of its own; each holder has its maximum.
 *
 *     charge ──▶ pending ──keep by one──▶ charged, for good
 *                   └──refund by all──▶ given back
 */
#pragma once

#include "policyd/limits.h"

typedef struct Pending Pending;

/* limits must outlive it. */
Pending *pending_new(Limits *limits);
void pending_free(Pending *pending);

/* Has message charged, once: verdict->limit is 0 and the caller is a holder more, or a limit is reached. What was kept
 * before is free. FALSE: UNAVAILABLE. */
gboolean pending_charge(Pending *pending, guint64 message, const LimitsFacts *facts,
                        ChargeVerdict *verdict, GError **error);

/* A holder's message was taken, or was not. */
void pending_keep(Pending *pending, guint64 message);
void pending_refund(Pending *pending, guint64 message);
