/* SPDX-License-Identifier: MIT */
#include "milters/recall.h"

struct Recall {
    GMutex lock;
    GHashTable *known; /* key, Reserved */
    GQueue order;      /* the same keys, borrowed, the eldest first */
};

Recall *recall_new(void)
{
    Recall *recall = g_new0(Recall, 1);

    g_mutex_init(&recall->lock);
    g_queue_init(&recall->order);
    recall->known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return recall;
}

void recall_free(Recall *recall)
{
    if (!recall)
        return;
    g_queue_clear(&recall->order);
    g_hash_table_unref(recall->known);
    g_mutex_clear(&recall->lock);
    g_free(recall);
}

gboolean recall_find(Recall *recall, const char *key, Reserved *reserved)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&recall->lock);
    const Reserved *found = g_hash_table_lookup(recall->known, key);

    if (found)
        *reserved = *found;
    return found != NULL;
}

void recall_keep(Recall *recall, const char *key, const Reserved *reserved)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&recall->lock);
    char *owned;

    if (g_hash_table_contains(recall->known, key))
        return;
    if (g_queue_get_length(&recall->order) >= RECALL_MAX)
        g_hash_table_remove(recall->known, g_queue_pop_head(&recall->order));
    owned = g_strdup(key);
    g_hash_table_insert(recall->known, owned, g_memdup2(reserved, sizeof *reserved));
    g_queue_push_tail(&recall->order, owned);
}

gboolean recall_has(Recall *recall, const char *key)
{
    Reserved nothing;

    return recall_find(recall, key, &nothing);
}

void recall_note(Recall *recall, const char *key)
{
    const Reserved nothing = {0};

    recall_keep(recall, key, &nothing);
}
