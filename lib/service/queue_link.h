/* SPDX-License-Identifier: MIT */
/*
 * Purpose: asks outrider-queue to hold, release or delete mail.
 * Used by: worker and CLI.
 * May touch: <socket_dir>/queue.
 * Threads: any; a call opens a connection of its own.
 * Limits: QUEUE_IDS_MAX ids a call. The helper serves one client at a time and may close an idle one: a
 *     request without an answer is asked once again, which does no harm.
 */
#pragma once

#include "lib/config/config.h"
#include "lib/wire/queue.h"

#define QUEUE_LINK_SOCKET "queue"

/* ids: good ones, up to NULL. answers has room for as many and receives one for each, in their order.
 * UNAVAILABLE: the helper is away, or does not answer this user; some of the ids may be done. */
gboolean queue_link_ask(const Config *config, QueueVerb verb, const char *const *ids,
                        QueueAnswer *answers, GError **error);
