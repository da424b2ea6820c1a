/* SPDX-License-Identifier: MIT */
#include "policyd/window.h"

#include <string.h>

#define RING ((gint64)(WINDOW_SLOTS + 1))

/* Rounded up: 60 slots are never shorter than the period. */
static gint64 slot_length(gint64 period_us)
{
    return (period_us + WINDOW_SLOTS - 1) / WINDOW_SLOTS;
}

static gint64 now_slot(const Window *window, gint64 at_us, gint64 period_us)
{
    return MAX(window->newest, at_us / slot_length(period_us));
}

guint64 window_count(const Window *window, gint64 at_us, gint64 period_us)
{
    gint64 oldest = now_slot(window, at_us, period_us) - WINDOW_SLOTS;
    guint64 sum = 0;

    for (gint64 slot = MAX(oldest, window->newest - WINDOW_SLOTS); slot <= window->newest; slot++)
        if (slot >= 0)
            sum += window->counts[slot % RING];
    return sum;
}

gint64 window_add(Window *window, gint64 at_us, gint64 period_us, guint32 n)
{
    gint64 now = now_slot(window, at_us, period_us);

    if (now - window->newest >= RING)
        memset(window->counts, 0, sizeof window->counts);
    else
        for (gint64 slot = window->newest + 1; slot <= now; slot++)
            window->counts[slot % RING] = 0;
    window->newest = now;
    guint32 *count = &window->counts[now % RING];
    *count = n > G_MAXUINT32 - *count ? G_MAXUINT32 : *count + n;
    return now;
}

void window_give_back(Window *window, gint64 slot, guint32 n)
{
    if (slot < 0 || slot > window->newest || window->newest - slot >= RING)
        return;
    guint32 *count = &window->counts[slot % RING];
    *count -= MIN(*count, n);
}

gint64 window_wait(const Window *window, gint64 at_us, gint64 period_us, guint64 max)
{
    guint64 left = window_count(window, at_us, period_us);
    gint64 now = now_slot(window, at_us, period_us);
    gint64 slot = MAX(MAX(now, window->newest) - WINDOW_SLOTS, 0);

    if (max == 0)
        return -1;
    if (left < max)
        return 0;
    for (; slot < window->newest; slot++) {
        left -= window->counts[slot % RING];
        if (left < max)
            break;
    }
    /* It leaves when the slot 61 later begins. */
    return (slot + RING) * slot_length(period_us) - at_us;
}
