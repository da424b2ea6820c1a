/* SPDX-License-Identifier: MIT */
#include "worker/rounds.h"

#include <stdatomic.h>

struct Rounds {
    RoundsKind kind;
    gpointer data;
    GThread *thread; /* NULL: not started */
    GMutex mutex;
    GCond wake;
    _Atomic gboolean stop;
};

const _Atomic gboolean *rounds_stopping(const Rounds *rounds)
{
    return &rounds->stop;
}

gboolean rounds_wait(Rounds *rounds, gint64 ms)
{
    gint64 end = g_get_monotonic_time() + ms * 1000;

    g_mutex_lock(&rounds->mutex);
    while (!rounds->stop && g_cond_wait_until(&rounds->wake, &rounds->mutex, end))
        continue;
    g_mutex_unlock(&rounds->mutex);
    return !rounds->stop;
}

static gpointer run(gpointer data)
{
    Rounds *rounds = data;
    const RoundsKind *kind = &rounds->kind;
    gint64 pause = kind->first_ms, retry = 0;

    while (rounds_wait(rounds, pause)) {
        gboolean done = kind->run(rounds->data);
        retry = done ? 0 : CLAMP(retry * 2, kind->retry_ms, kind->retry_max_ms);
        pause = done ? kind->interval_ms : retry;
    }
    return NULL;
}

Rounds *rounds_new(const RoundsKind *kind, gpointer data)
{
    Rounds *rounds = g_new0(Rounds, 1);

    rounds->kind = *kind;
    rounds->data = data;
    g_mutex_init(&rounds->mutex);
    g_cond_init(&rounds->wake);
    return rounds;
}

void rounds_start(Rounds *rounds)
{
    rounds->thread = g_thread_new(rounds->kind.name, run, rounds);
}

void rounds_stop(Rounds *rounds)
{
    if (!rounds)
        return;
    g_mutex_lock(&rounds->mutex);
    rounds->stop = TRUE;
    g_cond_broadcast(&rounds->wake);
    g_mutex_unlock(&rounds->mutex);
    if (rounds->thread)
        g_thread_join(rounds->thread);
    g_mutex_clear(&rounds->mutex);
    g_cond_clear(&rounds->wake);
    g_free(rounds);
}
