/* SPDX-License-Identifier: MIT */
#include "milters/shared.h"

#include "lib/log/log.h"
#include "milters/recall.h"

struct Shared {
    const Config *config;
    Edge *edge;
    LaneServed *served;
    Journal *journal;
    IdSource *ids;
    DkimSigner *signer;
    Meter *meter;
    Recall *recall;
    GRWLock ring_lock;
    KeyRing *return_ring, *claim_ring;
    KeyRing *link_ring; /* NULL: there is none, and nothing is tracked */
};

static KeyRing *load_ring(const Config *config, const char *name, GError **error)
{
    g_autofree char *path = config_path(config, CONFIG_KEY_DIR, name);

    return ring_load(path, error);
}

/* Mail does not wait for tracking. */
static KeyRing *load_link_ring(const Config *config)
{
    g_autoptr(GError) error = NULL;
    KeyRing *ring = load_ring(config, "link", &error);

    if (!ring)
        log_warning(NULL, "key ring for links cannot be read", LOG_GERROR(error));
    return ring;
}

static gboolean open_parts(Shared *shared, GError **error)
{
    const Config *config = shared->config;
    g_autofree char *ids = config_path(config, CONFIG_SPOOL_DIR, "next-id");
    JournalOptions options = {.min_free = (guint64)config_int(config, CONFIG_SPOOL_MIN_FREE)};

    shared->edge = edge_open(config_string(config, CONFIG_EDGE_DIR));
    shared->served = lane_served_open(config);
    shared->meter = meter_new(config);
    shared->recall = recall_new();
    shared->link_ring = load_link_ring(config);
    return (shared->return_ring = load_ring(config, "return", error)) &&
           (shared->claim_ring = load_ring(config, "claim", error)) &&
           (shared->signer = dkim_signer_open(error)) &&
           (shared->ids =
                id_source_open(ids, (unsigned)config_int(config, CONFIG_NODE_ID), error)) &&
           (shared->journal =
                journal_open(config_string(config, CONFIG_SPOOL_DIR),
                             journal_program_name(JOURNAL_OF_MILTER), &options, error));
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
    g_clear_pointer(&shared->served, lane_served_close);
    g_clear_pointer(&shared->meter, meter_free);
    g_clear_pointer(&shared->recall, recall_free);
    g_clear_pointer(&shared->return_ring, ring_free);
    g_clear_pointer(&shared->claim_ring, ring_free);
    g_clear_pointer(&shared->link_ring, ring_free);
    g_rw_lock_clear(&shared->ring_lock);
    g_free(shared);
}

gboolean shared_reload(Shared *shared, GError **error)
{
    KeyRing *return_ring = load_ring(shared->config, "return", error);
    KeyRing *claim_ring = return_ring ? load_ring(shared->config, "claim", error) : NULL;

    if (claim_ring) {
        KeyRing *link_ring = load_link_ring(shared->config);
        g_rw_lock_writer_lock(&shared->ring_lock);
        KeyRing *old[] = {shared->return_ring, shared->claim_ring,
                          link_ring ? shared->link_ring : NULL};
        shared->return_ring = g_steal_pointer(&return_ring);
        shared->claim_ring = claim_ring;
        if (link_ring)
            shared->link_ring = link_ring;
        g_rw_lock_writer_unlock(&shared->ring_lock);
        for (guint i = 0; i < G_N_ELEMENTS(old); i++)
            ring_free(old[i]);
    }
    g_clear_pointer(&return_ring, ring_free);
    return claim_ring != NULL;
}

const Config *shared_config(const Shared *shared)
{
    return shared->config;
}

Edge *shared_edge(Shared *shared)
{
    return shared->edge;
}

LaneServed *shared_served(Shared *shared)
{
    return shared->served;
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

Meter *shared_meter(Shared *shared)
{
    return shared->meter;
}

Recall *shared_recall(Shared *shared)
{
    return shared->recall;
}

char *shared_seal_path(Shared *shared, const ReturnPath *path, const char *domain)
{
    g_rw_lock_reader_lock(&shared->ring_lock);
    char *sealed = return_path_seal(shared->return_ring, path, domain);
    g_rw_lock_reader_unlock(&shared->ring_lock);
    return sealed;
}

gboolean shared_open_path(Shared *shared, const char *address, ReturnPath *path)
{
    g_rw_lock_reader_lock(&shared->ring_lock);
    gboolean good = return_path_open(shared->return_ring, address, path, NULL);
    g_rw_lock_reader_unlock(&shared->ring_lock);
    return good;
}

char *shared_seal_msgid(Shared *shared, const Msgid *msgid)
{
    g_rw_lock_reader_lock(&shared->ring_lock);
    char *sealed = msgid_seal(shared->return_ring, msgid);
    g_rw_lock_reader_unlock(&shared->ring_lock);
    return sealed;
}

char *shared_seal_link(Shared *shared, const Link *link, const char *host)
{
    g_rw_lock_reader_lock(&shared->ring_lock);
    char *sealed = shared->link_ring ? link_seal(shared->link_ring, link, host) : NULL;
    g_rw_lock_reader_unlock(&shared->ring_lock);
    return sealed;
}

char *shared_seal_claim(Shared *shared, const Claim *claim)
{
    g_rw_lock_reader_lock(&shared->ring_lock);
    char *sealed = claim_seal(shared->claim_ring, claim);
    g_rw_lock_reader_unlock(&shared->ring_lock);
    return sealed;
}

Claim *shared_open_claim(Shared *shared, const char *text, gint64 now, GError **error)
{
    g_rw_lock_reader_lock(&shared->ring_lock);
    Claim *claim = claim_open(shared->claim_ring, text, now, error);
    g_rw_lock_reader_unlock(&shared->ring_lock);
    return claim;
}
