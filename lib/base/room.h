/* SPDX-License-Identifier: MIT */
/*
 * Purpose: how much of something there may be at a time, of which one holder may have half, so that others find room.
 * Used by: lib/httpd for octets in memory and requests that wait, apid for those who wait for a large message.
 * May touch: memory only.
 * Threads: any.
 * Limits: what it begins with.
 */
#pragma once

#include <glib.h>

typedef struct {
    GMutex mutex;
    guint64 max, taken;
    GHashTable *by_holder; /* of what is taken: holder -> guint64 */
} Room;

void room_begin(Room *room, guint64 max);
void room_end(Room *room);

/* Whether there is room for so much now; nothing is taken. holder 0 is nobody in particular, whose share has no limit. */
gboolean room_has(Room *room, guint holder, guint64 amount);

/* Takes it. FALSE: there is no room for it. */
gboolean room_take(Room *room, guint holder, guint64 amount);

/* Gives back what the holder has taken, or a part of it. */
void room_give(Room *room, guint holder, guint64 amount);
