/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the lanes of the directory, put into this node's Postfix.
 * Used by: `outrider postfix' and the commands that change addresses and smart hosts.
 * May touch: master.cf (our own services, by postconf), lanes.served, the password files of smart hosts; runs
 *     `postfix reload'.
 * Threads: one.
 */
#pragma once

#include "cli/postfix_lines.h"
#include "cli/session.h"

/* Reads both lists. */
gboolean postfix_ways_read(Sql *sql, PostfixWays *ways, GError **error);
void postfix_ways_clear(PostfixWays *ways);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PostfixWays, postfix_ways_clear)

/* Takes out what lanes.served does not name, if there is such a file. */
gboolean postfix_ways_keep_served(const Config *config, PostfixWays *ways, GError **error);

/* Applies them after a change, where `outrider postfix apply' has been run before and root asks; elsewhere says what
 * is to be done. What goes wrong is a warning and exit status 1, as the directory has changed. */
void postfix_ways_follow(Cli *cli);
