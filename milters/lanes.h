/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the lanes that a message may take, looked up: by rule, server and default.
 * Used by: outgoing, incoming, returned.
 * May touch: the replica, through lib/edge; lanes.served.
 * Threads: any.
 *
 * A pool's address that this node has no transport for takes no mail here. What must leave by a smart host that is not
 * set up here is put off, as it must not leave by another way.
 */
#pragma once

#include "lib/edge/edge_lane.h"
#include "milters/message.h"
#include "milters/shared.h"

/* GArray of EdgeLane (cleared on unref). *wait (NULL before) receives why the message has to wait, as its pool wants it
 * where none of these lanes takes mail (g_free). UNAVAILABLE: a replica or lanes.served cannot be read now, or the smart
 * host is not set up here. */
GArray *lanes_for(Shared *shared, const EdgeCredential *credential, const Message *message,
                  char **wait, GError **error);

/* How what a server sends on leaves. */
typedef struct {
    guint32 lane;
    char *header; /* as lanes_header has it */
    char *wait;   /* as lanes_for has it */
} LanesWay;

void lanes_way_clear(LanesWay *way);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(LanesWay, lanes_way_clear)

/* Chooses for message id among the lanes of a server. *way must be zero. UNAVAILABLE, as lanes_for; NOT_FOUND: no such server. */
gboolean lanes_of_server(Shared *shared, guint32 server, const Message *message, guint64 id,
                         LanesWay *way, GError **error);

/* What X-Outrider-Lane says of a lane, for the checks of `outrider node init': "8", or "sh8:[host]:587";
 * g_free. NULL: lane 0. */
char *lanes_header(const GArray *lanes, guint32 lane);
