/* SPDX-License-Identifier: MIT */
/*
 * Purpose: tracking of one message: by which track domain, what its body becomes, and what history is told of it.
 * Used by: the milter.
 * May touch: the replicas, through lib/edge; the key ring `link'.
 * Threads: any; one message each.
 * Limits: those of lib/tracking/rewrite.h, and at most TRACK_EXCLUDED_MAX excluded domains are heeded. Of the URLs TRACK_JSON_MAX
 *     octets are told.
 *
 * Tracking never puts mail off: what cannot be tracked now leaves as it is, and why is noted. A link is never made for a host that
 * is not active, and all of one message lead over one host.
 */
#pragma once

#include <json-c/json.h>

#include "lib/edge/edge_track.h"
#include "lib/tracking/rewrite.h"
#include "milters/message.h"
#include "milters/shared.h"

#define TRACK_EXCLUDED_MAX 100
#define TRACK_JSON_MAX     (128 * 1024)

typedef struct {
    EdgeTrack *domain; /* NULL: none serves it, or it is not to be tracked */
    TrackingResult result;
    gboolean changed; /* the message's body is another one */
    char *note;       /* what history is told of the whole; NULL: nothing */
    gboolean failed;  /* it should have been tracked, and note says why it was not */
} Tracked;

void tracked_clear(Tracked *tracked);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Tracked, tracked_clear)

/* The settings of a track domain (NULL: none, nothing is tracked). excluded receives their domains, borrowed from track, whose list
 * is cut into pieces. */
TrackingSettings track_settings(EdgeTrack *track, TrackingDomain excluded[TRACK_EXCLUDED_MAX]);

/* Tracks the message with that id, which a domain (id) authorised: its body may change, its header does not. Marks that keep links
 * from being tracked are taken away where nothing is tracked, too; in shadow mode nothing changes. tracked starts zeroed. */
void track_message(Message *message, Shared *shared, const EdgeCredential *credential,
                   guint32 domain, guint64 id, Tracked *tracked);

/* The member `tracked' of message.accepted; NULL: it has none. */
json_object *track_json(const Tracked *tracked);
