/* SPDX-License-Identifier: MIT */
#include "lib/base/room.h"

void room_begin(Room *room, guint64 max)
{
    g_mutex_init(&room->mutex);
    room->max = max;
    room->taken = 0;
    room->by_holder = g_hash_table_new_full(NULL, NULL, NULL, g_free);
}

void room_end(Room *room)
{
    g_hash_table_unref(room->by_holder);
    g_mutex_clear(&room->mutex);
}

static guint64 held_by(const Room *room, guint holder)
{
    const guint64 *amount = g_hash_table_lookup(room->by_holder, GUINT_TO_POINTER(holder));

    return amount ? *amount : 0;
}

static void set_held(Room *room, guint holder, guint64 amount)
{
    if (amount > 0)
        g_hash_table_replace(room->by_holder, GUINT_TO_POINTER(holder),
                             g_memdup2(&amount, sizeof amount));
    else
        g_hash_table_remove(room->by_holder, GUINT_TO_POINTER(holder));
}

static gboolean fits(const Room *room, guint holder, guint64 amount)
{
    return room->taken + amount <= room->max &&
           (holder == 0 || held_by(room, holder) + amount <= room->max / 2);
}

gboolean room_has(Room *room, guint holder, guint64 amount)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&room->mutex);

    return fits(room, holder, amount);
}

gboolean room_take(Room *room, guint holder, guint64 amount)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&room->mutex);

    if (!fits(room, holder, amount))
        return FALSE;
    room->taken += amount;
    if (holder > 0)
        set_held(room, holder, held_by(room, holder) + amount);
    return TRUE;
}

void room_give(Room *room, guint holder, guint64 amount)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&room->mutex);

    g_assert(amount <= room->taken);
    room->taken -= amount;
    if (holder > 0) {
        g_assert(amount <= held_by(room, holder));
        set_held(room, holder, held_by(room, holder) - amount);
    }
}
