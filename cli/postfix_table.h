/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what stands in lookup tables that Postfix reads: our maps, and an admin's header and body
 *     checks that lead a submission elsewhere.
 * Used by: `outrider postfix check'.
 * May touch: reads those files; runs postmap.
 * Threads: any.
 * Limits: the first POSTFIX_TABLE_MAX octets of a file.
 */
#pragma once

#include "cli/postfix_running.h"
#include "lib/config/config.h"

#define POSTFIX_TABLE_MAX (1024 * 1024)

/* Adds findings (cli/postfix_check.h) for maps of ours that are missing or not of this configuration. */
void postfix_table_ours(const Config *config, GPtrArray *findings);

/* The same for those of incoming mail. */
void postfix_table_incoming(const Config *config, GPtrArray *findings);

/* Adds one for a wildcard in a transport_maps table that is a file: it goes before every lane. */
void postfix_table_transport(const Config *config, const PostfixRunning *running,
                             GPtrArray *findings);

/* Adds one for the first FILTER, REDIRECT or BCC in each table of header_checks and its like. */
void postfix_table_checks(const PostfixRunning *running, GPtrArray *findings);
