/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what other nodes counted of limits, as they said last: a window for each of them, in memory only.
 * Used by: policyd's limits.
 * May touch: nothing.
 * Threads: one.
 * Limits: OTHERS_MAX windows; what is said beyond that is not taken. Time is the book's, as with the own
 *     windows, so both have the same slots. What nobody speaks of any more ends with its period.
 */
#pragma once

#include "lib/wire/charge.h"
#include "policyd/window.h"

#define OTHERS_MAX 1000000

typedef struct Others Others;

Others *others_new(void);
void others_free(Others *others);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Others, others_free)

/* Takes a share, in place of what its node said of the limit before. FALSE: there is no room. */
gboolean others_take(Others *others, const ChargeRequest *share, gint64 now_us);

/* The most resets that one of them knows of. */
guint32 others_resets(const Others *others, guint32 limit);

/* Adds to window what they counted since so many resets. */
void others_merge(const Others *others, guint32 limit, guint32 resets, gint64 now_us,
                  gint64 period_us, Window *window);

/* Adds to count->shares what each of them counted since, if it is not nothing, by number. */
void others_shares(const Others *others, guint32 limit, guint32 resets, gint64 now_us,
                   gint64 period_us, ChargeCount *count);

/* Forgets what is over; now and then. */
void others_expire(Others *others, gint64 now_us);
