/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the life of a DKIM key.
 * Used by: lib/directory.
 * May touch: nothing.
 * Threads: any.
 *
 *     new ----SHOWN----> active --REPLACED, WITHDRAWN--> retired --KEPT--> gone
 *       |               |    ^                             ^               ^
 *       |          VANISHED SHOWN                          |               |
 *       |               v    |                             |               |
 *       |                lost -----REPLACED, WITHDRAWN-----/               |
 *       \----------REPLACED, WITHDRAWN------------------------------------/
 *
 * A new key waits for the DNS to show it, an active one signs, a lost one would sign if the DNS still showed it, a retired
 * one signs no more but its record must stay while mail that it signed is on its way. What a state does not know leaves it
 * as it is.
 */
#pragma once

#include <glib.h>

/* So many looks in a row must find the record nowhere until a key is lost. */
#define KEY_LOST_LOOKS 3

typedef enum {
#define X(NAME, word) KEY_STATE_##NAME,
#include "lib/directory/key_state.def"
#undef X
    KEY_STATE_COUNT
} KeyState;

typedef enum {
    KEY_SHOWN,     /* every authoritative server of the zone shows its record */
    KEY_VANISHED,  /* for long enough no server has shown it: key_state_is_lost */
    KEY_REPLACED,  /* the key that follows it has become active */
    KEY_WITHDRAWN, /* an admin takes it away */
    KEY_KEPT,      /* what it signed is gone from every queue */
    KEY_EVENT_COUNT
} KeyEvent;

KeyState key_state_next(KeyState state, KeyEvent event);

/* "new"; a word that is none of them reads as KEY_STATE_COUNT. */
const char *key_state_word(KeyState state);
KeyState key_state_read(const char *word);

/* Whether it is long enough: looks in a row, of which the first was at since (Unix seconds; 0: none), found the record
 * nowhere; it takes KEY_LOST_LOOKS and after seconds. */
gboolean key_state_is_lost(gint64 since, gint64 looks, gint64 now, gint64 after);

/* How long a record must stay after its key has signed for the last time: mail may be held for hold_days and then be
 * queued for lifetime_ms, and a replica may lag by a day. Seconds. */
gint64 key_state_keep(gint64 lifetime_ms, gint64 hold_days);
