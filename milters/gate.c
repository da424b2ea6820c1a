/* SPDX-License-Identifier: MIT */
#include "milters/gate.h"

gboolean gate_enter(Gate *gate)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&gate->lock);

    if (gate->closed)
        return FALSE;
    gate->inside++;
    return TRUE;
}

void gate_leave(Gate *gate)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&gate->lock);

    if (--gate->inside == 0)
        g_cond_broadcast(&gate->left);
}

gboolean gate_close(Gate *gate, guint seconds)
{
    gint64 end = g_get_monotonic_time() + (gint64)seconds * G_TIME_SPAN_SECOND;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&gate->lock);

    gate->closed = TRUE;
    while (gate->inside > 0)
        if (!g_cond_wait_until(&gate->left, &gate->lock, end))
            return gate->inside == 0;
    return TRUE;
}
