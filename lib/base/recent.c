/* SPDX-License-Identifier: MIT */
#include "lib/base/recent.h"

#include <stddef.h>

typedef struct {
    GList link; /* of the order; its data is the entry itself */
    char *key;
    max_align_t data[];
} Entry;

struct Recent {
    guint max;
    gsize size;
    GHashTable *entries; /* key, borrowed from its entry */
    GQueue order;        /* the one that goes first at its head */
};

static void entry_free(gpointer data)
{
    Entry *entry = data;

    g_free(entry->key);
    g_free(entry);
}

Recent *recent_new(guint max, gsize size)
{
    Recent *recent = g_new0(Recent, 1);

    recent->max = max;
    recent->size = size;
    recent->entries = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, entry_free);
    g_queue_init(&recent->order);
    return recent;
}

void recent_free(Recent *recent)
{
    if (!recent)
        return;
    g_hash_table_unref(recent->entries);
    g_free(recent);
}

gpointer recent_find(const Recent *recent, const char *key)
{
    Entry *entry = g_hash_table_lookup(recent->entries, key);

    return entry ? entry->data : NULL;
}

gpointer recent_touch(Recent *recent, const char *key)
{
    Entry *entry = g_hash_table_lookup(recent->entries, key);

    if (entry) {
        g_queue_unlink(&recent->order, &entry->link);
    } else {
        if (recent_count(recent) >= recent->max)
            recent_drop_eldest(recent);
        entry = g_malloc0(sizeof(Entry) + recent->size);
        entry->link.data = entry;
        entry->key = g_strdup(key);
        g_hash_table_insert(recent->entries, entry->key, entry);
    }
    g_queue_push_tail_link(&recent->order, &entry->link);
    return entry->data;
}

gpointer recent_eldest(const Recent *recent)
{
    Entry *eldest = recent->order.head ? recent->order.head->data : NULL;

    return eldest ? eldest->data : NULL;
}

void recent_drop_eldest(Recent *recent)
{
    GList *link = g_queue_pop_head_link(&recent->order);

    if (link)
        g_hash_table_remove(recent->entries, ((Entry *)link->data)->key);
}

guint recent_count(const Recent *recent)
{
    return g_hash_table_size(recent->entries);
}
