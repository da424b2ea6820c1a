/* SPDX-License-Identifier: MIT */
#include "milters/recall.h"

#include "lib/base/recent.h"

struct Recall {
    GMutex lock;
    Recent *known; /* Reserved */
};

Recall *recall_new(void)
{
    Recall *recall = g_new0(Recall, 1);

    g_mutex_init(&recall->lock);
    recall->known = recent_new(RECALL_MAX, sizeof(Reserved));
    return recall;
}

void recall_free(Recall *recall)
{
    if (!recall)
        return;
    recent_free(recall->known);
    g_mutex_clear(&recall->lock);
    g_free(recall);
}

gboolean recall_find(Recall *recall, const char *key, Reserved *reserved)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&recall->lock);
    const Reserved *found = recent_find(recall->known, key);

    if (found)
        *reserved = *found;
    return found != NULL;
}

void recall_keep(Recall *recall, const char *key, const Reserved *reserved)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&recall->lock);

    if (!recent_find(recall->known, key))
        *(Reserved *)recent_touch(recall->known, key) = *reserved;
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
