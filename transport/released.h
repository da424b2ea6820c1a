/* SPDX-License-Identifier: MIT */
/*
 * Purpose: how many messages may be released now. Postfix delivers in the order in which its active queue was
 *     filled, so what is released waits in hold, and not in front of new mail: few at a time are let go, and more
 *     when these have been tried.
 * Used by: transport/postfix_queue.c.
 * May touch: nothing; where a message is the caller's function says.
 * Threads: one.
 * Limits: RELEASED_MAX messages on their way. One that is still under way after RELEASED_US counts no more: it
 *     waits for a slow host, and the others need not.
 */
#pragma once

#include <glib.h>

#include "lib/wire/queue.h"

#define RELEASED_MAX 500
#define RELEASED_US  (10 * G_TIME_SPAN_SECOND)

typedef struct Released Released;

/* Whether a message has not been tried since its release. */
typedef gboolean (*ReleasedWaits)(const char *id, gpointer data);

Released *released_new(void);
void released_free(Released *released);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Released, released_free)

/* One was released; a good queue id. */
void released_add(Released *released, const char *id, gint64 now_us);

/* How many may be, after those that wait no more were forgotten. None while the active queue, with so many
 * messages, is half full. */
guint released_room(Released *released, ReleasedWaits waits, gpointer data, guint active,
                    guint active_max, gint64 now_us);
