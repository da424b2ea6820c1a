/* SPDX-License-Identifier: MIT */
/*
 * Purpose: how many messages may be released now. Postfix delivers in the order in which its active queue was
 *     filled, so what is released waits in hold, and not in front of new mail: few at a time are let go, and more
 *     when these have been tried.
 * Used by: outrider-queue.
 * May touch: nothing; where a message is the caller's function says.
 * Threads: one.
 * Limits: QUEUE_PACE_MAX messages on their way. One that is still under way after QUEUE_PACE_US counts no more: it
 *     waits for a slow host, and the others need not.
 */
#pragma once

#include <glib.h>

#include "lib/wire/queue.h"

#define QUEUE_PACE_MAX 500
#define QUEUE_PACE_US  (10 * G_TIME_SPAN_SECOND)

typedef struct QueuePace QueuePace;

/* Whether a message has not been tried since its release. */
typedef gboolean (*QueuePaceWaits)(const char *id, gpointer data);

QueuePace *queue_pace_new(void);
void queue_pace_free(QueuePace *pace);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(QueuePace, queue_pace_free)

/* One was released; a good queue id. */
void queue_pace_note(QueuePace *pace, const char *id, gint64 now_us);

/* How many may be, after those that wait no more were forgotten. None while the active queue, with so many
 * messages, is half full. */
guint queue_pace_room(QueuePace *pace, QueuePaceWaits waits, gpointer data, guint active,
                      guint active_max, gint64 now_us);
