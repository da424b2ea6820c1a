/* SPDX-License-Identifier: MIT */
/*
 * Purpose: whether what a host said of a message until Postfix gave it up speaks against the recipient's address.
 * Used by: the suppressor.
 * May touch: nothing.
 * Threads: any.
 *
 * The last thing that was said decides: it must be about the address. What was said before only tells since when.
 */
#pragma once

#include <glib.h>

/* An attempt that was put off. Texts may be NULL. */
typedef struct {
    gint64 at_us;
    const char *recipient, *text, *dsn, *relay;
} GiveUpAttempt;

typedef struct {
    gboolean over;   /* an attempt before was about something else */
    gint64 since_us; /* the first of those in a row, until the last, that were about the address */
    gint64 last_us;  /* the last of them; 0: there is none */
    char *address;   /* as suppressions have it */
    char *text;      /* what was said last; NULL: nothing */
} GiveUp;

void give_up_clear(GiveUp *give_up);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(GiveUp, give_up_clear)

/* Takes the attempts of a message, the latest first, into what begins as zeros. */
void give_up_take(GiveUp *give_up, const GiveUpAttempt *attempt);
