/* SPDX-License-Identifier: MIT */
/*
 * Purpose: how many messages there were in a sliding period, in sub-slots. Pure: every call is told
 *     the time.
 * Used by: policyd's book of counters, and what it knows of other nodes'.
 * May touch: nothing.
 * Threads: any, for different windows.
 * Limits: a period is 60 slots long, and the slot that it began in counts whole, so no stretch of a
 *     period's length ever has more than was allowed; room comes back up to a 60th of the period late.
 *     Time that goes back stands still. A slot counts up to 2^32-1.
 *
 * Between machines slots travel by their age, as no two clocks are the same. Each is put down again as late as
 * it can have been, so what another node counted leaves the window up to two slots late.
 */
#pragma once

#include <glib.h>

#include "lib/wire/usage.h"

#define WINDOW_SLOTS 60
G_STATIC_ASSERT(WINDOW_SLOTS + 1 == USAGE_SLOTS_MAX);

/* All zero: empty. Lies in a mapped file as it is. */
typedef struct {
    gint64 newest; /* number of the newest slot: time / length of a slot */
    guint32 counts[WINDOW_SLOTS + 1];
    guint32 reserved;
} Window;

/* How many there were in the period that ends at at_us (microseconds, not negative). */
guint64 window_count(const Window *window, gint64 at_us, gint64 period_us);

/* Counts n messages at at_us; returns the slot, for window_give_back. */
gint64 window_add(Window *window, gint64 at_us, gint64 period_us, guint32 n);

/* Takes n back out of the slot that they were counted in; nothing when it has left the window. */
void window_give_back(Window *window, gint64 slot, guint32 n);

/* Microseconds until fewer than max are left if none comes: 0 when that is so at once; -1 when it never
 * will be (max is 0). */
gint64 window_wait(const Window *window, gint64 at_us, gint64 period_us, guint64 max);

/* Adds what the other window, of the same period and clock, counts at at_us. */
void window_merge(Window *window, const Window *other, gint64 at_us, gint64 period_us);

/* The slots that count at at_us, without the empty ones that are oldest. */
void window_slots(const Window *window, gint64 at_us, gint64 period_us, UsageSlots *slots);

/* Makes window what slots say that were taken at at_us, perhaps on another machine. */
void window_set(Window *window, gint64 at_us, gint64 period_us, const UsageSlots *slots);
