/* SPDX-License-Identifier: MIT */
/*
 * Purpose: track domains as the replica has them: the hosts that tracked links lead over.
 * Used by: the milter (which one a message takes), the tracking daemon (whose a host is).
 * May touch: <edge_dir>/edge.5.db, read-only.
 * Threads: any.
 * Limits: as edge.h.
 */
#pragma once

#include "lib/edge/edge.h"

typedef struct {
    guint32 id;
    guint32 server;
    char *host; /* A-labels in lower case; of one server only */
    gboolean https;
    gboolean clicks, opens, text_links;
    /* Domains with commas between, `.' before one: what is below it too; "": none. */
    char *excluded;
    gboolean active; /* else no link may be made for it; those that were made are still followed */
} EdgeTrack;

void edge_track_free(EdgeTrack *track);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EdgeTrack, edge_track_free)

/* The one that serves a server's message that a domain (id) authorised: the youngest of the active ones that are that domain's,
 * else of those for all domains. *found becomes NULL when there is none. FALSE: UNAVAILABLE. */
gboolean edge_track_for(Edge *edge, guint32 server, guint32 domain, EdgeTrack **found,
                        GError **error);

/* The same of a host (any case), active or not. */
gboolean edge_track_by_host(Edge *edge, const char *host, EdgeTrack **found, GError **error);
