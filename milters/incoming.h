/* SPDX-License-Identifier: MIT */
/*
 * Purpose: mail that came in for a route, on the hop's listener: Postfix's transport_maps led it there, one recipient each. It is
 *     named, judged (milters/arrival.h), stored and sent its way; for several endpoints it takes the hop once more,
 *     with an address for each.
 * Used by: the milter's DISPATCH, when a message has no claim of outgoing mail.
 * May touch: the replicas, Postfix through libmilter, the store, the journal.
 * Threads: any; one message each.
 *
 * Nothing can be relayed so: a recipient is one of ours, or a claim says which one it was.
 */
#pragma once

#include <libmilter/mfapi.h>

#include "lib/edge/edge_route.h"
#include "milters/outgoing.h"
#include "milters/session.h"

/* Takes the message if its recipient is a route's: *refusal becomes REFUSAL_NONE (done and durable) or why not, logged. FALSE: it is
 * none of ours. */
gboolean incoming_take(SMFICTX *context, Session *session, Shared *shared, const char *queue_id,
                       RefusalName *refusal);

/* Whether an address without a route is in a domain of ours, so that it will never have been taken right. FALSE also when that is not
 * known now. */
gboolean incoming_is_nobody(Shared *shared, const char *address);

/* Takes the message for that route, whoever its recipient is. REFUSAL_NONE: done and durable; else logged. */
RefusalName incoming_take_for(SMFICTX *context, Session *session, Shared *shared,
                              const char *queue_id, const EdgeRoute *route);

/* The index-th of the messages, for an endpoint each, that a claim of incoming mail was made for. The same. */
RefusalName incoming_take_endpoint(SMFICTX *context, Session *session, Shared *shared,
                                   const char *queue_id, const Claim *claim, guint index);
