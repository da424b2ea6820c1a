/* SPDX-License-Identifier: MIT */
/*
 * Purpose: lanes.regexp, Postfix's sender_dependent_default_transport_maps: lines for each lane, keyed by
 *     the number at the end of a sealed return path (a regexp_table(5): no daemon is asked). And one for
 *     submissions: requeued ones lose the FILTER that took them to the hop.
 * Used by: edge_writer.
 * May touch: <postfix_config_dir>/outrider/lanes.regexp; runs `postfix reload' when told to.
 * Threads: the caller's.
 *
 * Nothing may wait for a transport that Postfix does not have. What is queued for an address that is gone, or that
 * this node has no transport for, is spread over the others of its pool by their weights; the share is told by a
 * letter of the MAC, so that a message stays with one. What is queued for a smart host that is gone takes the
 * default smart host or pool. Without any such lane it is DUNNO: Postfix's default transport, or waits if the pool
 * wants that. What has a
 * smart host that is not set up on this node waits, as it must not leave by another way. So does a lane of the
 * installation's own domain that is not named at all: Postfix has not read its line. (Below other domains it may be a
 * stranger's.)
 */
#pragma once

#include <glib.h>

#include "lib/edge/edge_lane.h"

/* The file's text for an array of EdgeLaneState, by lane number: return paths of the installation, and those with the label
 * below any domain, so that a domain more or less needs no reload. g_free. */
char *lanes_render(const GArray *lanes, const char *return_path_domain,
                   const char *return_path_label, guint hop_port);

/* Writes the file when its text changed, by a temporary file and rename. */
gboolean lanes_write(const char *path, const char *text, gboolean *changed, GError **error);

/* Runs `postfix -c DIRECTORY reload', so that trivial-rewrite reads the map again and master knows new
 * transports. Needs root; the error says what to run by hand. */
gboolean lanes_reload(const char *postfix_config_dir, GError **error);
