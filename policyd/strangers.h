/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what is told to clients without authentication about recipients of ours, before a message is sent: that it is too
 *     large, or that they name too many recipients a minute.
 * Used by: policyd's policy edge.
 * May touch: nothing.
 * Threads: one.
 * Limits: STRANGERS_MAX sources are counted; the one that came longest ago is forgotten first. A restart forgets all.
 */
#pragma once

#include "lib/config/config.h"
#include "lib/wire/policy.h"

#define STRANGERS_CONTEXT "outrider-incoming"
#define STRANGERS_MAX     16384

typedef struct Strangers Strangers;

Strangers *strangers_new(const Config *config);
void strangers_free(Strangers *strangers);

/* Judges a recipient at now_us (microseconds, which do not go back), and counts it unless it is refused. NULL: nothing is in
 * the way; else the action of access(5), static, and *text (g_free). *first: it is the first refusal of that source
 * within a minute. */
const char *strangers_judge(Strangers *strangers, const PolicyRequest *request, gint64 now_us,
                            char **text, gboolean *first);
