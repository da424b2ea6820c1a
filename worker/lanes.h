/* SPDX-License-Identifier: MIT */
/*
 * Purpose: lanes.regexp, Postfix's sender_dependent_default_transport_maps: one line per lane, keyed by
 *     the number at the end of a sealed return path (a regexp_table(5): no daemon is asked). And one for
 *     submissions: requeued ones lose the FILTER that took them to the hop.
 * Used by: edge_writer.
 * May touch: <postfix_config_dir>/outrider/lanes.regexp; runs `postfix reload' when told to.
 * Threads: the caller's.
 */
#pragma once

#include <glib.h>

#include "lib/config/config.h"

/* The file's text for an array of EdgeLane, by lane number: return paths of the installation, and those with the label
 * below any domain, so that a domain more or less needs no reload. g_free. */
char *lanes_render(const GArray *lanes, const char *return_path_domain,
                   const char *return_path_label, guint hop_port);

/* Writes the file when its text changed, by a temporary file and rename. */
gboolean lanes_write(const char *path, const char *text, gboolean *changed, GError **error);

/* Runs `postfix -c DIRECTORY reload', so that trivial-rewrite reads the map again and master knows new
 * transports. Needs root; the error says what to run by hand. */
gboolean lanes_reload(const char *postfix_config_dir, GError **error);
