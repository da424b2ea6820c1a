/* SPDX-License-Identifier: MIT */
#include "policyd/others.h"

typedef struct {
    guint node;
    guint32 resets;
    gint64 period_us;
    gint64 taken_us;
    Window window;
} Other;

struct Others {
    GHashTable *by_limit; /* limit -> GArray of Other, by node */
    guint windows;
};

Others *others_new(void)
{
    Others *others = g_new0(Others, 1);

    others->by_limit = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_array_unref);
    return others;
}

void others_free(Others *others)
{
    if (!others)
        return;
    g_hash_table_unref(others->by_limit);
    g_free(others);
}

static GArray *list_of(const Others *others, guint32 limit)
{
    return g_hash_table_lookup(others->by_limit, GUINT_TO_POINTER(limit));
}

/* Where a node stands in a list, or belongs. */
static guint place_of(const GArray *list, guint node)
{
    guint place = 0;

    while (place < list->len && g_array_index(list, Other, place).node < node)
        place++;
    return place;
}

static gboolean is_at(const GArray *list, guint place, guint node)
{
    return place < list->len && g_array_index(list, Other, place).node == node;
}

gboolean others_take(Others *others, const ChargeRequest *share, gint64 now_us)
{
    GArray *list = list_of(others, share->limit);
    guint place = list ? place_of(list, share->node) : 0;
    const Other fresh = {.node = share->node};

    if (!list || !is_at(list, place, share->node)) {
        if (others->windows >= OTHERS_MAX)
            return FALSE;
        if (!list) {
            list = g_array_new(FALSE, FALSE, sizeof(Other));
            g_hash_table_insert(others->by_limit, GUINT_TO_POINTER(share->limit), list);
        }
        g_array_insert_val(list, place, fresh);
        others->windows++;
    }
    Other *other = &g_array_index(list, Other, place);
    other->resets = share->resets;
    other->period_us = limit_period_us(share->period);
    other->taken_us = now_us;
    window_set(&other->window, now_us, other->period_us, &share->slots);
    return TRUE;
}

guint32 others_resets(const Others *others, guint32 limit)
{
    const GArray *list = list_of(others, limit);
    guint32 most = 0;

    for (guint i = 0; list && i < list->len; i++)
        most = MAX(most, g_array_index(list, Other, i).resets);
    return most;
}

void others_merge(const Others *others, guint32 limit, guint32 resets, gint64 now_us,
                  gint64 period_us, Window *window)
{
    const GArray *list = list_of(others, limit);

    for (guint i = 0; list && i < list->len; i++) {
        const Other *other = &g_array_index(list, Other, i);
        if (other->resets >= resets)
            window_merge(window, &other->window, now_us, period_us);
    }
}

void others_shares(const Others *others, guint32 limit, guint32 resets, gint64 now_us,
                   gint64 period_us, ChargeCount *count)
{
    const GArray *list = list_of(others, limit);

    for (guint i = 0; list && i < list->len && count->n < CHARGE_SHARES_MAX; i++) {
        const Other *other = &g_array_index(list, Other, i);
        guint64 n = window_count(&other->window, now_us, period_us);
        if (other->resets >= resets && n > 0)
            count->shares[count->n++] = (ChargeShare){other->node, n};
    }
}

/* What says nothing else may still say that there was a reset. */
static gboolean is_over(const Other *other, gint64 now_us)
{
    return now_us - other->taken_us > 2 * other->period_us &&
           window_count(&other->window, now_us, other->period_us) == 0;
}

static gboolean expire_list(G_GNUC_UNUSED gpointer limit, gpointer value, gpointer data)
{
    GArray *list = value;
    const gint64 *now_us = ((gpointer *)data)[0];
    guint *windows = ((gpointer *)data)[1];

    for (guint i = list->len; i-- > 0;)
        if (is_over(&g_array_index(list, Other, i), *now_us)) {
            g_array_remove_index(list, i);
            (*windows)--;
        }
    return list->len == 0;
}

void others_expire(Others *others, gint64 now_us)
{
    gpointer data[] = {&now_us, &others->windows};

    g_hash_table_foreach_remove(others->by_limit, expire_list, data);
}
