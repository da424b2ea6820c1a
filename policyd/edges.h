/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the protocols of policyd on their sockets: auth, policy, map, limit.
 * Used by: policyd's main.
 * May touch: what lib/edge reads.
 * Threads: one.
 * Limits: EDGES_DELAYED_MAX delayed refusals together and EDGES_EXCHANGES_MAX exchanges of one
 *     connection; beyond that the connection is closed, which Postfix answers with 454.
 */
#pragma once

#include "lib/base/penalty.h"
#include "lib/edge/edge.h"
#include "policyd/connection.h"
#include "policyd/incoming.h"
#include "policyd/pending.h"
#include "policyd/refusals.h"
#include "policyd/strangers.h"
#include "policyd/tally.h"

#define EDGES_DELAYED_MAX   4096
#define EDGES_EXCHANGES_MAX 16

/* What the edges share; the context of their listeners. */
typedef struct {
    struct event_base *base;
    Edge *edge;
    Penalty *penalty;
    Tally *tally;
    Limits *limits;
    Pending *pending;
    Refusals *refusals;
    Incoming *incoming;
    Strangers *strangers;
    gboolean map_complained; /* since the map edge was well last */
    const char *hostname;    /* in CRAM-MD5 challenges */
    gboolean cram;           /* is offered */
    gint64 cram_due;         /* when that is looked at again; monotonic, microseconds */
    guint delayed;           /* refusals that wait */
    guint32 connections;     /* so far */
} Policyd;

extern const Protocol auth_protocol, policy_protocol, map_protocol, limit_protocol;
