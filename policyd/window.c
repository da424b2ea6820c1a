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

/* The first slot that counts; it may be after the newest. */
static gint64 oldest_slot(const Window *window, gint64 at_us, gint64 period_us)
{
    return MAX(now_slot(window, at_us, period_us) - WINDOW_SLOTS, 0);
}

guint64 window_count(const Window *window, gint64 at_us, gint64 period_us)
{
    guint64 sum = 0;

    for (gint64 slot = oldest_slot(window, at_us, period_us); slot <= window->newest; slot++)
        sum += window->counts[slot % RING];
    return sum;
}

/* Makes the slot now, not before the newest, the newest. */
static void advance(Window *window, gint64 now)
{
    if (now - window->newest >= RING)
        memset(window->counts, 0, sizeof window->counts);
    else
        for (gint64 slot = window->newest + 1; slot <= now; slot++)
            window->counts[slot % RING] = 0;
    window->newest = now;
}

static void count_in(Window *window, gint64 slot, guint32 n)
{
    guint32 *count = &window->counts[slot % RING];

    *count = n > G_MAXUINT32 - *count ? G_MAXUINT32 : *count + n;
}

gint64 window_add(Window *window, gint64 at_us, gint64 period_us, guint32 n)
{
    gint64 now = now_slot(window, at_us, period_us);

    advance(window, now);
    count_in(window, now, n);
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

void window_merge(Window *window, const Window *other, gint64 at_us, gint64 period_us)
{
    advance(window, MAX(window->newest, other->newest));
    gint64 oldest = MAX(oldest_slot(window, at_us, period_us), other->newest - WINDOW_SLOTS);
    for (gint64 slot = oldest; slot <= other->newest; slot++)
        count_in(window, slot, other->counts[slot % RING]);
}

void window_slots(const Window *window, gint64 at_us, gint64 period_us, UsageSlots *slots)
{
    gint64 oldest = oldest_slot(window, at_us, period_us);

    *slots = (UsageSlots){0};
    for (gint64 slot = window->newest; slot >= oldest; slot--) {
        guint age = (guint)(window->newest - slot);
        slots->counts[age] = window->counts[slot % RING];
        if (slots->counts[age] > 0)
            slots->n = age + 1;
    }
    if (slots->n > 0)
        slots->age_us = MAX(at_us - window->newest * slot_length(period_us), 0);
}

void window_set(Window *window, gint64 at_us, gint64 period_us, const UsageSlots *slots)
{
    gint64 length = slot_length(period_us);

    *window = (Window){0};
    for (guint i = slots->n; i-- > 0;) {
        /* Its end, unless that is still to come. */
        gint64 at = at_us - MAX(slots->age_us + ((gint64)i - 1) * length, 0);
        if (at_us - at < RING * length && slots->counts[i] > 0)
            window_add(window, MAX(at, 0), period_us, slots->counts[i]);
    }
}
