/* SPDX-License-Identifier: MIT */
/*
 * Purpose: asks outrider-queue to hold, release or delete mail.
 * Used by: worker and CLI.
 * May touch: <socket_dir>/queue.
 * Threads: a link belongs to one thread.
 * Limits: QUEUE_IDS_MAX ids a request. The helper serves one client at a time: waits QUEUE_LINK_SECONDS at most
 *     for an answer. A connection that it has closed since the request before is opened again, once, which
 *     does no harm; one that it closes at once is of somebody who may not ask.
 */
#pragma once

#include "lib/config/config.h"
#include "lib/wire/queue.h"

#define QUEUE_LINK_SECONDS 60

typedef struct QueueLink QueueLink;

/* config is borrowed. */
QueueLink *queue_link_new(const Config *config);
void queue_link_free(QueueLink *link);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(QueueLink, queue_link_free)

/* ids: good ones, up to NULL. answers has room for as many and receives one for each, in their order.
 * UNAVAILABLE: the helper is away, or does not answer this user; CORRUPT: not the answer as agreed. Some of
 * the ids may be done then. */
gboolean queue_link_ask(QueueLink *link, QueueVerb verb, const char *const *ids,
                        QueueAnswer *answers, GError **error);
