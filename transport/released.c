/* SPDX-License-Identifier: MIT */
#include "transport/released.h"

typedef struct {
    char id[QUEUE_ID_MAX + 1];
    gint64 at_us;
} Entry;

struct Released {
    GArray *entries;
};

Released *released_new(void)
{
    Released *released = g_new(Released, 1);

    released->entries = g_array_new(FALSE, FALSE, sizeof(Entry));
    return released;
}

void released_free(Released *released)
{
    if (!released)
        return;
    g_array_unref(released->entries);
    g_free(released);
}

void released_add(Released *released, const char *id, gint64 now_us)
{
    Entry entry = {.at_us = now_us};

    g_strlcpy(entry.id, id, sizeof entry.id);
    g_array_append_val(released->entries, entry);
}

guint released_room(Released *released, ReleasedWaits waits, gpointer data, guint active,
                    guint active_max, gint64 now_us)
{
    guint kept = 0;

    for (guint i = 0; i < released->entries->len; i++) {
        Entry *entry = &g_array_index(released->entries, Entry, i);
        if (now_us - entry->at_us < RELEASED_US && waits(entry->id, data))
            g_array_index(released->entries, Entry, kept++) = *entry;
    }
    g_array_set_size(released->entries, kept);
    return active >= active_max / 2 || kept >= RELEASED_MAX ? 0 : RELEASED_MAX - kept;
}
