/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the JSON of message.held, whoever holds (fields: lib/journal/event.def).
 * Used by: milter and worker.
 * May touch: nothing.
 * Threads: any.
 * Limits: a reason of JOURNAL_HELD_REASON_MAX characters; longer is cut.
 */
#pragma once

#include <glib.h>

#define JOURNAL_HELD_REASON_MAX 1024

typedef struct {
    guint node;
    gint64 at_us; /* this and the next in Unix microseconds */
    gint64 expires_us;
    guint64 id;
    guint32 server;   /* 0: not known */
    const char *rule; /* a word of hold_rule.def */
    const char *reason;
} JournalHeld;

/* g_free. */
char *journal_held_json(const JournalHeld *held);
