/* SPDX-License-Identifier: MIT */
/*
 * Purpose: which lane a message takes: weighted rendezvous hashing of (message id, lane).
 * Used by: dispatch.
 * May touch: nothing.
 * Threads: any.
 *
 * The same on every retry and every node, whatever the order of the list; a lane that goes away moves
 * only its own mail. Weight 0 takes no new mail.
 */
#pragma once

#include <glib.h>

/* The lane for id out of lanes (GArray of EdgeLane); 0: none has a weight, or there is none. */
guint32 lane_pick(guint64 id, const GArray *lanes);
