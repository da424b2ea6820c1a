/* SPDX-License-Identifier: MIT */
/*
 * Purpose: whether Postfix took a submission whose end nobody saw: this process was killed meanwhile, or the link broke.
 * Used by: apid's history desk.
 * May touch: nothing.
 * Threads: any.
 *
 * What Postfix has, its log says, and history knows. What history does not know it never took only if everything that could
 * tell of it has been told: the milter is done with what was under way, and its journal is applied.
 */
#pragma once

#include <glib.h>

#include "lib/journal/journal.h"
#include "lib/submission/smtp_link.h"

/* More than Postfix waits for the milter at the end of a message; more than the worker takes to write down how far it is. */
#define FATE_SETTLED_SECONDS SMTP_LINK_SECONDS
#define FATE_LAG_SECONDS     (3 * JOURNAL_TOLD_SECONDS)

typedef enum {
    FATE_OPEN, /* not known yet */
    FATE_TAKEN,
    FATE_NOT_TAKEN
} Fate;

/* status: of its first message in history, NULL: there is none. quiet: since it was last under way, told: how far history is behind
 * now; both microseconds. */
Fate fate_of(const char *status, gint64 quiet, gint64 told);
