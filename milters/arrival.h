/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what becomes of a message that came in for a route: by which transport it goes, whether it is held, and
 *     whom failures are told. Facts in, verdict out.
 * Used by: the milter.
 * May touch: nothing.
 * Threads: any.
 *
 * A way is transport:nexthop, as Postfix's FILTER takes it (cli/postfix_line.def has the transports):
 *     outrider-http:endpoint/ID       a POST, by outrider-pipe
 *     outrider-out-TLS:[HOST]:PORT    another mail host; HOST is the address that its name was last found to have, unless
 *                                     its certificate must be of that name
 *     outrider-lmtp:inet:[ADDRESS]:PORT  a mail store, by the address that was last found; or outrider-lmtp:unix:PATH
 *     discard:TEXT                    it is kept in history, and goes nowhere
 *     error:STATUS TEXT               it is sent back
 */
#pragma once

#include <glib.h>

#include "lib/edge/edge_route.h"

typedef struct {
    const EdgeRoute *route;
    const EdgeEndpoint *endpoint; /* NULL: it has none, or that is gone */
    guint received, received_max; /* Received fields, and how many there may be */
} ArrivalFacts;

typedef struct {
    char *way; /* NULL: the lane of its sender */
    char *to;  /* another recipient; NULL: its own */
    /* What fails comes back to us and not to its sender, as SPF speaks for us only. */
    gboolean seals_sender;
    const char *hold, *hold_rule; /* why, and by which rule; NULL: it is not held */
    gboolean no_address;          /* of the endpoint's host: it has to wait */
} ArrivalVerdict;

void arrival_verdict_clear(ArrivalVerdict *verdict);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ArrivalVerdict, arrival_verdict_clear)

void arrival_decide(const ArrivalFacts *facts, ArrivalVerdict *verdict);
