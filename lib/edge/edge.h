/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what the mail path knows of the directory: read-only queries on the local replicas.
 * Used by: policyd, milter, apid and trackd; the worker and the CLI for lanes.
 * May touch: <edge_dir>/edge.5.db, edge-auth.5.db, edge-sign.5.db, edge-suppression.5.db, read-only.
 * Threads: any; each call takes a connection from a pool and gives it back.
 * Limits: a missing, locked or unreadable replica is UNAVAILABLE (temporary): the caller answers 4xx.
 *     Opening does not need the files; they are (re)opened when first asked for. A replica that
 *     the writer has made but not filled yet (no row in edge_state) is UNAVAILABLE as well.
 */
#pragma once

#include <glib.h>

#define EDGE_SCHEMA            5
#define EDGE_KEY_HASH_LENGTH   32
#define EDGE_CRAM_STATE_LENGTH 32
#define EDGE_CRAM_STATES_MAX   1000

/* How long what was queued for a lane that is gone is told another way: 100 days, the most that Postfix lets mail
 * wait (maximal_queue_lifetime). */
#define EDGE_LANE_KEEP_SECONDS (100 * 86400)

/* The last is large and has a writer of its own. */
typedef enum {
    EDGE_FILE_DIRECTORY,
    EDGE_FILE_AUTH,
    EDGE_FILE_SIGN,
    EDGE_FILE_SUPPRESSION,
    EDGE_FILE_COUNT
} EdgeFile;

/* One row of edge_table.def; the writer makes tables and upserts from it. */
typedef struct {
    EdgeFile file;
    const char *name;
    const char *columns; /* "name type, ..." after id */
    const char *index;   /* DDL or "" */
} EdgeTable;

extern const EdgeTable edge_tables[];
extern const guint edge_table_count;

/* "edge.5.db" and so on. */
const char *edge_file_name(EdgeFile file);

/* The group that may read a file and its -wal and -shm: "outrider-auth" and so on. */
const char *edge_file_group(EdgeFile file);

typedef struct Edge Edge;

Edge *edge_open(const char *edge_dir);
void edge_close(Edge *edge);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Edge, edge_close)

/* One credential with its server and organization. */
typedef struct {
    guint32 id;
    guint32 server;
    guint32 organization;
    guint32 ip_pool;   /* 0: none of its own */
    guint32 smarthost; /* the same */
    gboolean hold, disabled;
    gint64 expires_at; /* 0: never */
    gboolean server_suspended, organization_suspended;
    gboolean development, allow_sender, privacy;
    gboolean shadow;                    /* limits and holds only record what they would have done */
    gboolean has_networks, has_senders; /* it works from, and for, some only: edge_access.h */
    gboolean refuse_suppressed;         /* else mail to suppressed recipients is held */
    gboolean has_rules; /* its server or organization has, on ways out: edge_lane.h */
    char *organization_permalink;
    char *server_permalink;
} EdgeCredential;

void edge_credential_free(EdgeCredential *credential);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EdgeCredential, edge_credential_free)

/* What replicas and database keep of a credential's key: its SHA-256. */
void edge_key_hash(const char *key, guint8 hash[EDGE_KEY_HASH_LENGTH]);

/* SMTP credential by the hash of its key, or of the key before it as long as that works at now (Unix seconds;
 * needs edge-auth). NOT_FOUND or UNAVAILABLE. */
EdgeCredential *edge_credential_by_key(Edge *edge, const guint8 hash[EDGE_KEY_HASH_LENGTH],
                                       gint64 now, GError **error);

/* The same of an API credential. */
EdgeCredential *edge_api_credential_by_key(Edge *edge, const guint8 hash[EDGE_KEY_HASH_LENGTH],
                                           gint64 now, GError **error);

/* Credential of any type by id (needs edge only). */
EdgeCredential *edge_credential_by_id(Edge *edge, guint32 id, GError **error);

/* A server as its credentials have it, with the id 0: for mail of its own that no credential handed in. NOT_FOUND or
 * UNAVAILABLE. */
EdgeCredential *edge_server_by_id(Edge *edge, guint32 id, GError **error);

/* The CRAM-MD5 states of a server's SMTP credentials: (id, MD5 inner and outer state, 32 octets). */
typedef struct {
    guint32 id;
    guint8 state[EDGE_CRAM_STATE_LENGTH];
} EdgeCram;

/* GArray of EdgeCram, newest credential first, at most 1,000, those of keys that work at now; empty when the
 * server is unknown. */
GArray *edge_cram_states(Edge *edge, const char *organization, const char *server, gint64 now,
                         GError **error);

/* *any: whether a credential of any server has such a state. FALSE: trouble. */
gboolean edge_cram_used(Edge *edge, gboolean *any, GError **error);

typedef struct {
    guint32 id; /* 0: none */
    char *name;
    char *return_path_label; /* NULL: its return paths are the installation's */
} EdgeDomain;

void edge_domain_free(EdgeDomain *domain);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EdgeDomain, edge_domain_free)

/* The verified domain that authorises a From domain for a server: exact name owned by the server,
 * then by its organization; then the closest parent that does so for sub-domains; then the server's first (by name) domain flagged use_for_any. name is
 * compared in its address_domain_form. NOT_FOUND or UNAVAILABLE. */
EdgeDomain *edge_domain_for(Edge *edge, guint32 server, guint32 organization, const char *name,
                            GError **error);

/* How far a replica has been filled. UNAVAILABLE when it cannot be read. */
gboolean edge_state(Edge *edge, EdgeFile file, gint64 *epoch, gint64 *revision, GError **error);

typedef struct {
    guint32 lane;
    guint32 weight; /* 0..100; 0 drains */
    char *ipv4;     /* never NULL */
    char *ipv6;     /* NULL: none */
    char *helo;
    char *next_hop; /* of a smart host, "[host]:port"; NULL: a pool's address */
} EdgeLane;

void edge_lane_clear(EdgeLane *lane);

/* GArray of EdgeLane (cleared on unref) of a pool, by lane number; pool 0: the default pool, or
 * empty when there is none. */
GArray *edge_lanes_of_pool(Edge *edge, guint32 pool, GError **error);

/* Every address of the node's replica. */
GArray *edge_lanes(Edge *edge, GError **error);

typedef struct {
    char *selector;
    char *private_key; /* PEM */
    gboolean ed25519;  /* else RSA */
} EdgeSignKey;

void edge_sign_key_clear(EdgeSignKey *key);

/* GArray of EdgeSignKey in state active, RSA first; domain 0: the installation's keys for
 * return_path_domain. Needs edge-sign. Empty when there is none. */
GArray *edge_sign_keys(Edge *edge, guint32 domain, GError **error);
