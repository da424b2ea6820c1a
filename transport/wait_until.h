/* SPDX-License-Identifier: MIT */
/*
 * Purpose: endpoints that have asked not to be asked for a while (Retry-After): all processes of the node keep to it.
 * Used by: outrider-pipe.
 * May touch: <spool_dir>/pipe/endpoint-ID.wait, replaced in one step.
 * Threads: one.
 * Limits: WAIT_MAX_SECONDS; what says more, as after a clock was set back, says nothing.
 */
#pragma once

#include <glib.h>

#define WAIT_MAX_SECONDS 3600

/* Seconds that are left at now (Unix seconds); 0: ask. */
gint64 wait_until_left(const char *directory, guint32 endpoint, gint64 now);

/* Nobody asks for so many seconds, at most WAIT_MAX_SECONDS. FALSE: IO; then others do. */
gboolean wait_until_set(const char *directory, guint32 endpoint, gint64 now, gint64 seconds,
                        GError **error);
