/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the ids that `outrider explain' takes of recipients that were refused. Those that the same cause refuses to a credential
 *     within a second, and tries of one that is suppressed, share one: what is told of the first is true of all.
 * Used by: policyd's policy edge.
 * May touch: the node's next id.
 * Threads: one.
 */
#pragma once

#include "lib/config/config.h"

typedef struct Refusals Refusals;

/* Without ids (which is logged) nothing that was refused can be asked for. */
Refusals *refusals_new(const Config *config);
void refusals_free(Refusals *refusals);

/* The id for a cause (its rule and its number) and a credential; *fresh: it is to be recorded. 0: none can be had. */
guint64 refusals_id(Refusals *refusals, const char *rule, guint64 number, guint32 credential,
                    gboolean *fresh);

/* Forgets those that are told anew when they come again. */
void refusals_expire(Refusals *refusals);
