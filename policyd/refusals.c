/* SPDX-License-Identifier: MIT */
#include "policyd/refusals.h"

#include "lib/base/id.h"
#include "lib/log/log.h"

typedef struct {
    gint64 at_us; /* monotonic */
    guint64 id;
} Refused;

struct Refusals {
    IdSource *ids;    /* NULL: there are none */
    GHashTable *last; /* what refused and whom -> Refused */
};

Refusals *refusals_new(const Config *config)
{
    Refusals *refusals = g_new0(Refusals, 1);
    g_autofree char *path = config_path(config, CONFIG_SPOOL_DIR, "next-id");
    g_autoptr(GError) error = NULL;

    refusals->ids = id_source_open(path, (unsigned)config_int(config, CONFIG_NODE_ID), &error);
    if (!refusals->ids)
        log_warning(NULL, "refusals have no id", LOG_GERROR(error));
    refusals->last = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return refusals;
}

void refusals_free(Refusals *refusals)
{
    if (!refusals)
        return;
    g_hash_table_unref(refusals->last);
    id_source_close(refusals->ids);
    g_free(refusals);
}

static gboolean is_over(const Refused *refused, gint64 now)
{
    return now - refused->at_us >= G_USEC_PER_SEC;
}

guint64 refusals_id(Refusals *refusals, const char *rule, guint64 number, guint32 credential,
                    gboolean *fresh)
{
    g_autofree char *key = g_strdup_printf("%s %" G_GUINT64_FORMAT " %u", rule, number, credential);
    const Refused *last = g_hash_table_lookup(refusals->last, key);
    gint64 now = g_get_monotonic_time();

    *fresh = !last || is_over(last, now);
    if (!*fresh)
        return last->id;
    Refused *refused = g_new(Refused, 1);
    refused->at_us = now;
    refused->id =
        refusals->ids ? id_reserve(refusals->ids, 1, g_get_real_time() / G_USEC_PER_SEC) : 0;
    g_hash_table_insert(refusals->last, g_steal_pointer(&key), refused);
    return refused->id;
}

static gboolean expires(gpointer key, gpointer refused, gpointer now)
{
    (void)key;
    return is_over(refused, *(const gint64 *)now);
}

void refusals_expire(Refusals *refusals)
{
    gint64 now = g_get_monotonic_time();

    g_hash_table_foreach_remove(refusals->last, expires, &now);
}
