/* SPDX-License-Identifier: MIT */
/*
 * Purpose: a filled set of edge replicas for tests: organization acme, server main, domain acme.test,
 *     one SMTP credential, pool `main' with lanes, DKIM keys.
 * Used by: tests only.
 * May touch: the directory it is given.
 */
#pragma once

#include <glib.h>

#include "lib/edge/edge.h"

enum {
    EDGE_FIXTURE_ORGANIZATION = 1,
    EDGE_FIXTURE_SERVER = 1,
    EDGE_FIXTURE_DOMAIN = 1,
    EDGE_FIXTURE_CREDENTIAL = 7, /* acme/main/7 */
    EDGE_FIXTURE_POOL = 1,       /* the default pool; lanes 1 to 3 = 192.0.2.11 to .13 */
};

typedef struct {
    const char *key;              /* NULL: no credential */
    const guint8 *cram_state;     /* EDGE_CRAM_STATE_LENGTH octets; NULL: none */
    const char *rsa_pem;          /* DKIM key of acme.test, selector rsa1; NULL: none */
    const char *ed25519_pem;      /* the same, selector ed1 */
    const char *installation_pem; /* RSA key of domain 0, selector inst1; NULL: none */
    gboolean unfilled;            /* leave the replicas without edge_state */
} EdgeFixture;

/* Makes the files in edge_dir (which must exist) and fills them. Fails the test on error. */
void edge_fixture_fill(const char *edge_dir, const EdgeFixture *fixture);

/* Runs SQL on one of the files, as the worker would. */
void edge_fixture_exec(const char *edge_dir, EdgeFile file, const char *sql);

/* edge_credential_by_key, of the key itself. */
EdgeCredential *edge_fixture_by_key(Edge *edge, const char *key, gint64 now, GError **error);

/* Removes the files and the directory. */
void edge_fixture_remove(const char *edge_dir);

/* A directory of its own with an open edge, for tests that need no more. */
typedef struct {
    char *dir;
    Edge *edge;
} EdgeWorld;

/* Setup and teardown of a test: *state is an EdgeWorld without replicas; edge_fixture_fill makes them. */
int edge_world_start(void **state);
int edge_world_stop(void **state);
