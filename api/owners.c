/* SPDX-License-Identifier: MIT */
#include "api/owners.h"

#include "lib/edge/edge_track.h"

struct Owners {
    GMutex mutex; /* guards what follows */
    GHashTable *by_host;
    guint64 era; /* counts how often all was forgotten */
};

Owners *owners_new(void)
{
    Owners *owners = g_new0(Owners, 1);

    g_mutex_init(&owners->mutex);
    owners->by_host = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return owners;
}

void owners_free(Owners *owners)
{
    if (!owners)
        return;
    g_hash_table_unref(owners->by_host);
    g_mutex_clear(&owners->mutex);
    g_free(owners);
}

static gboolean look_up(Owners *owners, const char *host, guint32 *server, guint64 *era)
{
    gpointer value = NULL;

    g_mutex_lock(&owners->mutex);
    *era = owners->era;
    gboolean known = g_hash_table_lookup_extended(owners->by_host, host, NULL, &value);
    g_mutex_unlock(&owners->mutex);
    if (known)
        *server = GPOINTER_TO_UINT(value);
    return known;
}

/* Not what was read before all was forgotten. */
static void keep(Owners *owners, const char *host, guint32 server, guint64 era)
{
    g_mutex_lock(&owners->mutex);
    if (owners->era == era && g_hash_table_size(owners->by_host) < OWNERS_MAX)
        g_hash_table_insert(owners->by_host, g_strdup(host), GUINT_TO_POINTER(server));
    g_mutex_unlock(&owners->mutex);
}

gboolean owners_find(Owners *owners, Edge *edge, const char *host, guint32 *server, GError **error)
{
    g_autoptr(EdgeTrack) track = NULL;
    guint64 era;

    if (look_up(owners, host, server, &era))
        return TRUE;
    if (!edge_track_by_host(edge, host, &track, error))
        return FALSE;
    *server = track ? track->server : 0;
    keep(owners, host, *server, era);
    return TRUE;
}

void owners_forget(Owners *owners)
{
    g_mutex_lock(&owners->mutex);
    owners->era++;
    g_hash_table_remove_all(owners->by_host);
    g_mutex_unlock(&owners->mutex);
}
