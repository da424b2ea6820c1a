/* SPDX-License-Identifier: MIT */
#include "lib/base/penalty.h"

#include <arpa/inet.h>
#include <string.h>

typedef struct {
    char *source;
    guint failures;
    gint64 last;
    GList *link; /* in order */
} Entry;

struct Penalty {
    gint64 delay, delay_max, forget;
    GHashTable *entries;
    GQueue order; /* eldest failure first */
};

static void entry_free(gpointer data)
{
    Entry *entry = data;

    g_free(entry->source);
    g_free(entry);
}

Penalty *penalty_new(gint64 delay, gint64 delay_max, gint64 forget)
{
    Penalty *penalty = g_new0(Penalty, 1);

    penalty->delay = delay;
    penalty->delay_max = delay_max;
    penalty->forget = forget;
    penalty->entries = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, entry_free);
    g_queue_init(&penalty->order);
    return penalty;
}

void penalty_free(Penalty *penalty)
{
    if (!penalty)
        return;
    g_queue_clear(&penalty->order);
    g_hash_table_unref(penalty->entries);
    g_free(penalty);
}

static void forget(Penalty *penalty, gint64 now)
{
    for (;;) {
        Entry *eldest = g_queue_peek_head(&penalty->order);
        gboolean full = g_hash_table_size(penalty->entries) > PENALTY_SOURCES_MAX;
        if (!eldest || (!full && now - eldest->last < penalty->forget))
            return;
        g_queue_pop_head(&penalty->order);
        g_hash_table_remove(penalty->entries, eldest->source);
    }
}

gint64 penalty_fail(Penalty *penalty, const char *source, gint64 now)
{
    forget(penalty, now);
    Entry *entry = g_hash_table_lookup(penalty->entries, source);
    if (entry) {
        g_queue_delete_link(&penalty->order, entry->link);
    } else {
        entry = g_new0(Entry, 1);
        entry->source = g_strdup(source);
        g_hash_table_insert(penalty->entries, entry->source, entry);
    }
    gint64 delay = MIN(penalty->delay << MIN(entry->failures, 20u), penalty->delay_max);
    entry->failures++;
    entry->last = now;
    g_queue_push_tail(&penalty->order, entry);
    entry->link = g_queue_peek_tail_link(&penalty->order);
    forget(penalty, now);
    return delay;
}

guint penalty_count(const Penalty *penalty)
{
    return g_hash_table_size(penalty->entries);
}

char *penalty_source(const char *address)
{
    struct in6_addr six;
    struct in_addr four;
    char text[INET6_ADDRSTRLEN];

    if (inet_pton(AF_INET, address, &four) == 1)
        return g_strdup(address);
    if (inet_pton(AF_INET6, address, &six) != 1)
        return g_strdup("unknown");
    if (IN6_IS_ADDR_V4MAPPED(&six))
        return g_strdup(inet_ntop(AF_INET, &six.s6_addr[12], text, sizeof(text)));
    memset(&six.s6_addr[8], 0, 8);
    return g_strconcat(inet_ntop(AF_INET6, &six, text, sizeof(text)), "/64", NULL);
}
