/* SPDX-License-Identifier: MIT */
#include "milters/shared.h"

#include "lib/seal/return_path.h"

#define PROGRAM "milter" /* its journal, as `outrider node init' names it */

struct Shared {
    const Config *config;
    Edge *edge;
    Journal *journal;
    IdSource *ids;
    DkimSigner *signer;
    GRWLock ring_lock;
    KeyRing *ring;
};

static KeyRing *load_ring(const Config *config, GError **error)
{
    g_autofree char *path = config_path(config, CONFIG_KEY_DIR, "return");

    return ring_load(path, error);
}

static gboolean open_parts(Shared *shared, GError **error)
{
    const Config *config = shared->config;
    g_autofree char *ids = config_path(config, CONFIG_SPOOL_DIR, "next-id");
    JournalOptions options = {.min_free = (guint64)config_int(config, CONFIG_SPOOL_MIN_FREE)};

    shared->edge = edge_open(config_string(config, CONFIG_EDGE_DIR));
    return (shared->ring = load_ring(config, error)) &&
           (shared->signer = dkim_signer_open(error)) &&
           (shared->ids =
                id_source_open(ids, (unsigned)config_int(config, CONFIG_NODE_ID), error)) &&
           (shared->journal =
                journal_open(config_string(config, CONFIG_SPOOL_DIR), PROGRAM, &options, error));
}

Shared *shared_open(const Config *config, GError **error)
{
    g_autoptr(Shared) shared = g_new0(Shared, 1);

    shared->config = config;
    g_rw_lock_init(&shared->ring_lock);
    return open_parts(shared, error) ? g_steal_pointer(&shared) : NULL;
}

void shared_close(Shared *shared)
{
    if (!shared)
        return;
    g_clear_pointer(&shared->journal, journal_close);
    g_clear_pointer(&shared->ids, id_source_close);
    g_clear_pointer(&shared->signer, dkim_signer_close);
    g_clear_pointer(&shared->edge, edge_close);
    g_clear_pointer(&shared->ring, ring_free);
    g_rw_lock_clear(&shared->ring_lock);
    g_free(shared);
}

gboolean shared_reload(Shared *shared, GError **error)
{
    KeyRing *fresh = load_ring(shared->config, error);

    if (!fresh)
        return FALSE;
    g_rw_lock_writer_lock(&shared->ring_lock);
    KeyRing *old = shared->ring;
    shared->ring = fresh;
    g_rw_lock_writer_unlock(&shared->ring_lock);
    ring_free(old);
    return TRUE;
}

const Config *shared_config(const Shared *shared)
{
    return shared->config;
}

Edge *shared_edge(Shared *shared)
{
    return shared->edge;
}

Journal *shared_journal(Shared *shared)
{
    return shared->journal;
}

IdSource *shared_ids(Shared *shared)
{
    return shared->ids;
}

DkimSigner *shared_signer(Shared *shared)
{
    return shared->signer;
}

char *shared_seal(Shared *shared, guint64 id, guint32 server, guint32 lane)
{
    ReturnPath path = {.kind = RETURN_PATH_MESSAGE, .id = id, .server = server, .lane = lane};

    g_rw_lock_reader_lock(&shared->ring_lock);
    char *sealed = return_path_seal(shared->ring, &path,
                                    config_string(shared->config, CONFIG_RETURN_PATH_DOMAIN));
    g_rw_lock_reader_unlock(&shared->ring_lock);
    return sealed;
}
