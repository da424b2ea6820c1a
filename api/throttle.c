/* SPDX-License-Identifier: MIT */
#include "api/throttle.h"

#include <stdatomic.h>

struct Throttle {
    GMutex mutex; /* guards penalty */
    Penalty *penalty;
    _Atomic guint sleepers;
};

Throttle *throttle_new(const Config *config)
{
    Throttle *throttle = g_new0(Throttle, 1);

    g_mutex_init(&throttle->mutex);
    throttle->penalty = penalty_new(config_int(config, CONFIG_AUTH_FAILURE_DELAY),
                                    config_int(config, CONFIG_AUTH_FAILURE_DELAY_MAX),
                                    config_int(config, CONFIG_AUTH_PENALTY_TIME));
    return throttle;
}

void throttle_free(Throttle *throttle)
{
    if (!throttle)
        return;
    penalty_free(throttle->penalty);
    g_mutex_clear(&throttle->mutex);
    g_free(throttle);
}

gboolean throttle_wait(Throttle *throttle, const char *source)
{
    g_mutex_lock(&throttle->mutex);
    gint64 delay = penalty_fail(throttle->penalty, source, g_get_monotonic_time() / 1000);
    g_mutex_unlock(&throttle->mutex);
    gboolean waits = atomic_fetch_add(&throttle->sleepers, 1) < THROTTLE_SLEEPERS_MAX;
    if (waits)
        g_usleep((gulong)delay * 1000);
    atomic_fetch_sub(&throttle->sleepers, 1);
    return waits;
}
