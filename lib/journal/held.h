/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the rules by which messages are held, and the JSON of message.held, whoever holds (fields:
 *     lib/journal/event.def).
 * Used by: milter and worker.
 * May touch: nothing.
 * Threads: any.
 * Limits: a reason of EVENT_JSON_TEXT_MAX characters; longer is cut.
 */
#pragma once

#include <glib.h>

typedef enum {
#define X(NAME, rule, reason) HOLD_##NAME,
#include "lib/journal/hold_rule.def"
#undef X
} HoldRule;

/* The rule's word, and what it means. */
const char *hold_rule_word(HoldRule rule);
const char *hold_rule_reason(HoldRule rule);

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
