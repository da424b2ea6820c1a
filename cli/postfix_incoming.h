/* SPDX-License-Identifier: MIT */
/*
 * Purpose: incoming mail in somebody's Postfix: the settings of main.cf that take it in and look at it early, beside what they have
 *     already, and what stands in its way.
 * Used by: `outrider postfix lines' and `check'.
 * May touch: nothing.
 * Threads: any.
 *
 * Each of our tables is behind a gate, a regexp table that the worker writes, so that mail for others never asks us. An empty
 * relay_recipient_maps takes any recipient of relay_domains; with ours in it, it has to pass those of others by a table of
 * its own (ADDRESS_CLASS_README, pipemap in DATABASE_README).
 */
#pragma once

#include "cli/postfix_check.h"

/* Whether any of them has our table. */
gboolean postfix_incoming_attached(const PostfixRunning *running);

/* Appends to an array of PostfixSetting what they are to be. */
void postfix_incoming_settings(const Config *config, const PostfixRunning *running,
                               GPtrArray *settings);

/* Adds findings. domains: of char *, those that have routes. */
void postfix_incoming_check(const Config *config, const PostfixRunning *running,
                            const GPtrArray *domains, GPtrArray *findings);
