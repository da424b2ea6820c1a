/* SPDX-License-Identifier: MIT */
#include "policyd/changes.h"

typedef struct {
    guint32 limit;
    guint64 number;
} Change;

struct Changes {
    GSequence *order;     /* Change, by number */
    GHashTable *by_limit; /* limit -> its GSequenceIter */
    guint64 newest;
};

Changes *changes_new(void)
{
    Changes *changes = g_new0(Changes, 1);

    changes->order = g_sequence_new(g_free);
    changes->by_limit = g_hash_table_new(NULL, NULL);
    return changes;
}

void changes_free(Changes *changes)
{
    if (!changes)
        return;
    g_hash_table_unref(changes->by_limit);
    g_sequence_free(changes->order);
    g_free(changes);
}

void changes_note(Changes *changes, guint32 limit)
{
    GSequenceIter *place = g_hash_table_lookup(changes->by_limit, GUINT_TO_POINTER(limit));

    if (!place) {
        Change *change = g_new0(Change, 1);
        change->limit = limit;
        place = g_sequence_append(changes->order, change);
        g_hash_table_insert(changes->by_limit, GUINT_TO_POINTER(limit), place);
    } else {
        g_sequence_move(place, g_sequence_get_end_iter(changes->order));
    }
    ((Change *)g_sequence_get(place))->number = ++changes->newest;
}

void changes_forget(Changes *changes, guint32 limit)
{
    GSequenceIter *place = g_hash_table_lookup(changes->by_limit, GUINT_TO_POINTER(limit));

    if (!place)
        return;
    g_hash_table_remove(changes->by_limit, GUINT_TO_POINTER(limit));
    g_sequence_remove(place);
}

guint64 changes_newest(const Changes *changes)
{
    return changes->newest;
}

static gint by_number(gconstpointer a, gconstpointer b, G_GNUC_UNUSED gpointer data)
{
    const Change *one = a, *other = b;

    return one->number < other->number ? -1 : one->number > other->number;
}

guint64 changes_each(const Changes *changes, guint64 after,
                     gboolean (*func)(guint32 limit, gpointer data), gpointer data)
{
    Change from = {.number = after};
    GSequenceIter *place = g_sequence_search(changes->order, &from, by_number, NULL);

    for (; !g_sequence_iter_is_end(place); place = g_sequence_iter_next(place)) {
        const Change *change = g_sequence_get(place);
        if (!func(change->limit, data))
            return change->number;
    }
    return changes->newest;
}
