/* SPDX-License-Identifier: MIT */
/*
 * Purpose: compares, every reconcile_interval, the messages of this node whose end is not known with
 *     Postfix's queue: what is there is proven, what is in neither of two looks was never queued (Aborted), or
 *     has left unseen (Unknown, with an alarm); what is on hold in one but not in the other is put right.
 * Used by: the worker's main.
 * May touch: MariaDB (read), Postfix's queue (postqueue -j), the return-path ring (read), the worker's journal
 *     and, through the follower, worker.db.
 * Threads: one of its own, from start to stop.
 * Limits: judges only messages whose status is older than reconcile_age, after the mail log was read to its end and the
 *     journals were applied since the look at the queue; when that takes more than a minute it says so and tries
 *     again later.
 */
#pragma once

#include "worker/journal_applier.h"
#include "worker/mail_follower.h"

typedef struct Reconciler Reconciler;

/* Starts the thread; what is given must outlive it. */
Reconciler *reconciler_start(const Config *config, MailFollower *follower, JournalApplier *applier);

/* Stops as soon as it may and frees; accepts NULL. */
void reconciler_stop(Reconciler *reconciler);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Reconciler, reconciler_stop)
