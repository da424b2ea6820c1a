/* SPDX-License-Identifier: MIT */
#include "lib/base/penalty.h"

#include "lib/base/recent.h"

typedef struct {
    guint failures;
    gint64 last;
} Entry;

struct Penalty {
    gint64 delay, delay_max, forget;
    Recent *sources; /* Entry, by their last failure */
};

Penalty *penalty_new(gint64 delay, gint64 delay_max, gint64 forget)
{
    Penalty *penalty = g_new0(Penalty, 1);

    penalty->delay = delay;
    penalty->delay_max = delay_max;
    penalty->forget = forget;
    penalty->sources = recent_new(PENALTY_SOURCES_MAX, sizeof(Entry));
    return penalty;
}

void penalty_free(Penalty *penalty)
{
    if (!penalty)
        return;
    recent_free(penalty->sources);
    g_free(penalty);
}

static void forget(Penalty *penalty, gint64 now)
{
    const Entry *eldest;

    while ((eldest = recent_eldest(penalty->sources)) && now - eldest->last >= penalty->forget)
        recent_drop_eldest(penalty->sources);
}

gint64 penalty_fail(Penalty *penalty, const char *source, gint64 now)
{
    forget(penalty, now);
    Entry *entry = recent_touch(penalty->sources, source);
    gint64 delay = MIN(penalty->delay << MIN(entry->failures, 20u), penalty->delay_max);
    entry->failures++;
    entry->last = now;
    return delay;
}

guint penalty_count(const Penalty *penalty)
{
    return recent_count(penalty->sources);
}
