/* SPDX-License-Identifier: MIT */
/*
 * Purpose: which lanes this node's Postfix has a transport for: the file lanes.served beside lanes.regexp, which
 *     `outrider postfix apply' writes. Without the file (nobody has run it here) every lane counts as served.
 * Used by: the milter, the worker, the CLI.
 * May touch: <postfix_config_dir>/outrider/lanes.served.
 * Threads: any.
 * Limits: LANE_SERVED_MAX lanes.
 *
 * The form: a number in each line, in any order; lines that begin with # are for people.
 */
#pragma once

#include "lib/config/config.h"

#define LANE_SERVED_MAX  10000
#define LANE_SERVED_FILE "lanes.served"

/* GArray of guint32, sorted; INVALID names the line. */
GArray *lane_served_parse(const char *text, GError **error);

/* The file's text for such an array; g_free. */
char *lane_served_render(const GArray *lanes);

/* The array, or NULL: without error there is no such file. */
GArray *lane_served_read(const char *path, GError **error);

gboolean lane_served_has(const GArray *lanes, guint32 lane);

/* The file, read again whenever another stands in its place. */
typedef struct LaneServed LaneServed;

LaneServed *lane_served_open(const Config *config);
void lane_served_close(LaneServed *served);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LaneServed, lane_served_close)

/* The array (g_array_unref) as it is now; as lane_served_read. */
GArray *lane_served_now(LaneServed *served, GError **error);
