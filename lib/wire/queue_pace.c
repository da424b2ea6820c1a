/* SPDX-License-Identifier: MIT */
#include "lib/wire/queue_pace.h"

typedef struct {
    char id[QUEUE_ID_MAX + 1];
    gint64 at_us;
} Entry;

struct QueuePace {
    GArray *entries;
};

QueuePace *queue_pace_new(void)
{
    QueuePace *pace = g_new(QueuePace, 1);

    pace->entries = g_array_new(FALSE, FALSE, sizeof(Entry));
    return pace;
}

void queue_pace_free(QueuePace *pace)
{
    if (!pace)
        return;
    g_array_unref(pace->entries);
    g_free(pace);
}

void queue_pace_note(QueuePace *pace, const char *id, gint64 now_us)
{
    Entry entry = {.at_us = now_us};

    g_strlcpy(entry.id, id, sizeof entry.id);
    g_array_append_val(pace->entries, entry);
}

guint queue_pace_room(QueuePace *pace, QueuePaceWaits waits, gpointer data, guint active,
                      guint active_max, gint64 now_us)
{
    guint kept = 0;

    for (guint i = 0; i < pace->entries->len; i++) {
        Entry *entry = &g_array_index(pace->entries, Entry, i);
        if (now_us - entry->at_us < QUEUE_PACE_US && waits(entry->id, data))
            g_array_index(pace->entries, Entry, kept++) = *entry;
    }
    g_array_set_size(pace->entries, kept);
    return active >= active_max / 2 || kept >= QUEUE_PACE_MAX ? 0 : QUEUE_PACE_MAX - kept;
}
