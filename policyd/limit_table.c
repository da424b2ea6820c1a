/* SPDX-License-Identifier: MIT */
#include "policyd/limit_table.h"

struct LimitTable {
    GArray *all;           /* EdgeLimit */
    GHashTable *by_id;     /* id -> EdgeLimit */
    GHashTable *by_number; /* subject and its id -> GPtrArray of EdgeLimit */
    GHashTable *by_name[LIMIT_SUBJECT_COUNT];
};

static gpointer number_key(LimitSubject subject, guint32 id)
{
    return GSIZE_TO_POINTER((gsize)subject << 32 | id);
}

static void add_to(GHashTable *lists, gpointer key, EdgeLimit *limit)
{
    GPtrArray *list = g_hash_table_lookup(lists, key);

    if (!list) {
        list = g_ptr_array_new();
        g_hash_table_insert(lists, key, list);
    }
    g_ptr_array_add(list, limit);
}

LimitTable *limit_table_new(GArray *all)
{
    LimitTable *table = g_new0(LimitTable, 1);

    table->all = all;
    table->by_id = g_hash_table_new(NULL, NULL);
    table->by_number = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_ptr_array_unref);
    for (guint i = 0; i < LIMIT_SUBJECT_COUNT; i++)
        table->by_name[i] =
            g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_ptr_array_unref);
    for (guint i = 0; i < all->len; i++) {
        EdgeLimit *limit = &g_array_index(all, EdgeLimit, i);
        g_hash_table_insert(table->by_id, GUINT_TO_POINTER(limit->id), limit);
        if (limit->subject_id)
            add_to(table->by_number, number_key(limit->subject, limit->subject_id), limit);
        else
            add_to(table->by_name[limit->subject], limit->subject_name, limit);
    }
    return table;
}

void limit_table_free(LimitTable *table)
{
    if (!table)
        return;
    g_hash_table_unref(table->by_id);
    g_hash_table_unref(table->by_number);
    for (guint i = 0; i < LIMIT_SUBJECT_COUNT; i++)
        g_hash_table_unref(table->by_name[i]);
    g_array_unref(table->all);
    g_free(table);
}

const EdgeLimit *limit_table_by_id(const LimitTable *table, guint32 limit)
{
    return g_hash_table_lookup(table->by_id, GUINT_TO_POINTER(limit));
}

static void add_list(LimitsFound *found, const GPtrArray *list)
{
    for (guint i = 0; list && i < list->len && found->n < LIMIT_TABLE_FOUND_MAX; i++)
        found->limits[found->n++] = list->pdata[i];
}

LimitsFound limit_table_find(const LimitTable *table, const LimitsFacts *facts)
{
    const struct {
        LimitSubject subject;
        guint32 id;
        const char *name;
    } keys[] = {{LIMIT_ORGANIZATION, facts->organization, NULL},
                {LIMIT_SERVER, facts->server, NULL},
                {LIMIT_CREDENTIAL, facts->credential, NULL},
                {LIMIT_DOMAIN, 0, facts->domain},
                {LIMIT_USER, 0, facts->user}};
    LimitsFound found = {0};

    for (guint i = 0; i < G_N_ELEMENTS(keys); i++)
        if (keys[i].id)
            add_list(&found, g_hash_table_lookup(table->by_number,
                                                 number_key(keys[i].subject, keys[i].id)));
        else if (keys[i].name)
            add_list(&found, g_hash_table_lookup(table->by_name[keys[i].subject], keys[i].name));
    return found;
}
