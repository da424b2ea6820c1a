/* SPDX-License-Identifier: MIT */
/*
 * Purpose: asks outrider-queue about held mail, and remembers what it refuses, so that it is not asked the
 *     same again and again.
 * Used by: the worker's hold keeper and its release.
 * May touch: <socket_dir>/queue.
 * Threads: one.
 * Limits: HOLD_QUEUE_REFUSED_MAX refusals are remembered, each for HOLD_QUEUE_AGAIN_S seconds.
 */
#pragma once

#include "lib/config/config.h"
#include "lib/wire/queue.h"
#include "worker/hold_memo.h"

#define HOLD_QUEUE_REFUSED_MAX 100000
#define HOLD_QUEUE_AGAIN_S     600

typedef struct HoldQueue HoldQueue;

/* config is borrowed. */
HoldQueue *hold_queue_new(const Config *config);
void hold_queue_free(HoldQueue *queue);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HoldQueue, hold_queue_free)

/* Whether the helper may be asked: the queue id is one, and was not refused lately. */
gboolean hold_queue_can_ask(const HoldQueue *queue, const HeldMail *mail);

/* Asks about all of them (pointers to HeldMail). Array of QueueAnswer in the same order; NULL with error. */
GArray *hold_queue_ask(HoldQueue *queue, QueueVerb verb, const GPtrArray *list, GError **error);
