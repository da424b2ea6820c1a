/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what is on hold in this node's queue for a reason that passes: what a limit holds is charged and
 *     released, oldest first, as room comes; what was held for a suspension goes on when it is lifted; what is
 *     queued of a suspended sender is held; what has been held too long is deleted.
 * Used by: the worker's main.
 * May touch: MariaDB (read), policyd's socket `limit', outrider-queue's socket, the worker's journal.
 * Threads: one of its own, from start to stop.
 * Limits: what needs policyd, the queue helper or
 *     MariaDB while that is away stays as it is, and a line a minute in the log says so.
 */
#pragma once

#include "worker/mail_follower.h"

typedef struct HoldKeeper HoldKeeper;

/* Starts the thread; what is given must outlive it. */
HoldKeeper *hold_keeper_start(const Config *config, MailFollower *follower);

/* Stops after the batch at hand and frees; accepts NULL. */
void hold_keeper_stop(HoldKeeper *keeper);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HoldKeeper, hold_keeper_stop)
