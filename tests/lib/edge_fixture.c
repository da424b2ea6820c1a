/* SPDX-License-Identifier: MIT */
#include "tests/lib/edge_fixture.h"

#include <glib/gstdio.h>
#include <string.h>

#include "lib/edge/edge_schema.h"
#include "tests/lib/testing.h"

static sqlite3 *open_writer(const char *edge_dir, EdgeFile file)
{
    GError *error = NULL;
    sqlite3 *db = edge_schema_open(edge_dir, file, (gid_t)-1, &error);

    assert_no_error(error);
    return db;
}

static void exec(sqlite3 *db, const char *sql)
{
    GError *error = NULL;

    edge_schema_exec(db, sql, &error);
    assert_no_error(error);
}

void edge_fixture_exec(const char *edge_dir, EdgeFile file, const char *sql)
{
    sqlite3 *db = open_writer(edge_dir, file);

    exec(db, sql);
    sqlite3_close(db);
}

static void fill_directory(sqlite3 *db, const EdgeFixture *fixture)
{
    exec(db, "INSERT INTO organization VALUES (1, 'acme', NULL);"
             "INSERT INTO server VALUES (1, 1, 'main', 'live', 1, 0, 0, 0, NULL, NULL, 'hold');"
             "INSERT INTO domain VALUES (1, 1, 1, 'acme.test', 1700000000, 0, 0, NULL);"
             "INSERT INTO ip_pool VALUES (1, 'main', 1, 'default');"
             "INSERT INTO ip_address VALUES"
             " (1, 1, 1, '192.0.2.11', '2001:db8::11', 'out11.outrider.test', 100),"
             " (2, 2, 1, '192.0.2.12', '2001:db8::12', 'out12.outrider.test', 100),"
             " (3, 3, 1, '192.0.2.13', NULL, 'out13.outrider.test', 50);");
    if (fixture->key)
        exec(db, "INSERT INTO credential VALUES (7, 1, 'smtp', 0, NULL, NULL);");
}

static void bind_and_run(sqlite3 *db, const char *sql, const void *first, int length,
                         const void *second)
{
    sqlite3_stmt *statement = NULL;

    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    sqlite3_bind_blob(statement, 1, first, length, SQLITE_STATIC);
    if (second)
        sqlite3_bind_blob(statement, 2, second, EDGE_CRAM_STATE_LENGTH, SQLITE_STATIC);
    assert_int_equal(sqlite3_step(statement), SQLITE_DONE);
    sqlite3_finalize(statement);
}

static void fill_auth(sqlite3 *db, const EdgeFixture *fixture)
{
    guint8 hash[EDGE_KEY_HASH_LENGTH];

    if (!fixture->key)
        return;
    edge_key_hash(fixture->key, hash);
    bind_and_run(db, "INSERT INTO credential_secret (id, key_hash, cram_state) VALUES (7, ?1, ?2)",
                 hash, (int)sizeof hash, fixture->cram_state);
}

static void fill_suppression(G_GNUC_UNUSED sqlite3 *db, G_GNUC_UNUSED const EdgeFixture *fixture)
{
}

static void add_key(sqlite3 *db, const char *sql, const char *pem)
{
    if (pem)
        bind_and_run(db, sql, pem, (int)strlen(pem), NULL);
}

static void fill_sign(sqlite3 *db, const EdgeFixture *fixture)
{
    add_key(db, "INSERT INTO dkim_key VALUES (1, 1, 'rsa1', 'rsa', CAST(?1 AS TEXT), 'active')",
            fixture->rsa_pem);
    add_key(db, "INSERT INTO dkim_key VALUES (2, 1, 'ed1', 'ed25519', CAST(?1 AS TEXT), 'active')",
            fixture->ed25519_pem);
    add_key(db, "INSERT INTO dkim_key VALUES (3, 0, 'inst1', 'rsa', CAST(?1 AS TEXT), 'active')",
            fixture->installation_pem);
}

void edge_fixture_fill(const char *edge_dir, const EdgeFixture *fixture)
{
    static void (*const fill[EDGE_FILE_COUNT])(sqlite3 *, const EdgeFixture *) = {
        [EDGE_FILE_DIRECTORY] = fill_directory,
        [EDGE_FILE_AUTH] = fill_auth,
        [EDGE_FILE_SIGN] = fill_sign,
        [EDGE_FILE_SUPPRESSION] = fill_suppression,
    };

    for (guint i = 0; i < EDGE_FILE_COUNT; i++) {
        sqlite3 *db = open_writer(edge_dir, (EdgeFile)i);
        exec(db, "BEGIN IMMEDIATE");
        fill[i](db, fixture);
        if (!fixture->unfilled)
            assert_true(edge_schema_set_state(db, 1, 1, NULL));
        exec(db, "COMMIT");
        sqlite3_close(db);
    }
}

EdgeCredential *edge_fixture_by_key(Edge *edge, const char *key, gint64 now, GError **error)
{
    guint8 hash[EDGE_KEY_HASH_LENGTH];

    edge_key_hash(key, hash);
    return edge_credential_by_key(edge, hash, now, error);
}

void edge_fixture_remove(const char *edge_dir)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};

    for (guint i = 0; i < EDGE_FILE_COUNT; i++)
        for (guint j = 0; j < G_N_ELEMENTS(suffixes); j++) {
            g_autofree char *path =
                g_strconcat(edge_dir, "/", edge_file_name((EdgeFile)i), suffixes[j], NULL);
            g_unlink(path);
        }
    g_rmdir(edge_dir);
}

int edge_world_start(void **state)
{
    EdgeWorld *world = g_new0(EdgeWorld, 1);

    world->dir = g_dir_make_tmp("outrider-edge-XXXXXX", NULL);
    world->edge = edge_open(world->dir);
    *state = world;
    return 0;
}

int edge_world_stop(void **state)
{
    EdgeWorld *world = *state;

    edge_close(world->edge);
    edge_fixture_remove(world->dir);
    g_free(world->dir);
    g_free(world);
    return 0;
}
