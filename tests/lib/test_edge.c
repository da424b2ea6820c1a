/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/error.h"
#include "lib/edge/edge_pool.h"
#include "lib/edge/edge_schema.h"
#include "tests/lib/edge_fixture.h"
#include "tests/lib/testing.h"

#define KEY "abcdefghijklmnopqrstuvwx"
#define NOW 1795248000

static const guint8 cram_state[EDGE_CRAM_STATE_LENGTH] = {1, 2, 3};

static const EdgeFixture fixture = {.key = KEY,
                                    .cram_state = cram_state,
                                    .rsa_pem = "RSA PEM",
                                    .ed25519_pem = "ED PEM",
                                    .installation_pem = "INST PEM"};

static int setup(void **state)
{
    edge_world_start(state);
    edge_fixture_fill(((EdgeWorld *)*state)->dir, &fixture);
    return 0;
}

/* A key is good for what its credential is for. */
static void test_edge_api_credential_by_key(void **state)
{
    EdgeWorld *s = *state;
    guint8 hash[EDGE_KEY_HASH_LENGTH];
    GError *error = NULL;

    edge_key_hash(KEY, hash);
    assert_null(edge_api_credential_by_key(s->edge, hash, NOW, &error));
    assert_error_code(error, NOT_FOUND);
    edge_fixture_exec(s->dir, EDGE_FILE_DIRECTORY, "UPDATE credential SET type = 'api'");
    g_autoptr(EdgeCredential) found = edge_api_credential_by_key(s->edge, hash, NOW, &error);
    assert_no_error(error);
    assert_int_equal(found->id, EDGE_FIXTURE_CREDENTIAL);
    assert_null(edge_fixture_by_key(s->edge, KEY, NOW, &error));
    assert_error_code(error, NOT_FOUND);
}

static void test_edge_credential_by_key_found(void **state)
{
    EdgeWorld *s = *state;
    GError *error = NULL;
    g_autoptr(EdgeCredential) credential = edge_fixture_by_key(s->edge, KEY, NOW, &error);

    assert_no_error(error);
    assert_int_equal(credential->server, 1);
    assert_int_equal(credential->organization, 1);
    assert_int_equal(credential->ip_pool, 1);
    assert_string_equal(credential->organization_permalink, "acme");
    assert_string_equal(credential->server_permalink, "main");
    assert_false(credential->hold || credential->disabled || credential->server_suspended ||
                 credential->organization_suspended || credential->development ||
                 credential->allow_sender || credential->privacy || credential->shadow);
    assert_int_equal(credential->expires_at, 0);
}

static void test_edge_credential_sees_changes(void **state)
{
    EdgeWorld *s = *state;

    g_autoptr(EdgeCredential) again = edge_fixture_by_key(s->edge, KEY, NOW, NULL);
    assert_non_null(again);
    edge_fixture_exec(s->dir, EDGE_FILE_DIRECTORY,
                      "UPDATE credential SET hold = 1, disabled_at = 5, expires_at = 9;"
                      "UPDATE server SET suspended_at = 1, mode = 'development', allow_sender = 1,"
                      " privacy_mode = 1, shadow = 1, ip_pool_id = NULL;"
                      "UPDATE organization SET suspended_at = 2;");
    g_autoptr(EdgeCredential) credential = edge_credential_by_id(s->edge, 7, NULL);
    assert_non_null(credential);
    assert_true(credential->hold && credential->disabled && credential->server_suspended &&
                credential->organization_suspended && credential->development &&
                credential->allow_sender && credential->privacy && credential->shadow);
    assert_int_equal(credential->expires_at, 9);
    assert_int_equal(credential->ip_pool, 0);
}

static void test_edge_credential_not_found(void **state)
{
    static const char *const changes[] = {
        "SELECT 1",
        "UPDATE credential SET type = 'api'",
        "UPDATE credential SET type = 'smtp-ip'",
        "UPDATE credential SET server_id = 99",
        "UPDATE server SET organization_id = 99",
        "DELETE FROM credential",
    };
    EdgeWorld *s = *state;
    GError *error = NULL;

    assert_null(edge_fixture_by_key(s->edge, "", NOW, &error));
    assert_error_code(error, NOT_FOUND);
    assert_null(edge_fixture_by_key(s->edge, "ABCDEFGHIJKLMNOPQRSTUVWX", NOW, &error));
    assert_error_code(error, NOT_FOUND);
    assert_null(edge_credential_by_id(s->edge, 8, &error));
    assert_error_code(error, NOT_FOUND);
    for (guint i = 1; i < G_N_ELEMENTS(changes); i++) {
        edge_fixture_exec(s->dir, EDGE_FILE_DIRECTORY, changes[i]);
        assert_null(edge_fixture_by_key(s->edge, KEY, NOW, &error));
        assert_error_code(error, NOT_FOUND);
    }
}

static void test_edge_cram_states_newest_first(void **state)
{
    EdgeWorld *s = *state;
    GError *error = NULL;

    edge_fixture_exec(s->dir, EDGE_FILE_DIRECTORY,
                      "INSERT INTO credential VALUES (8, 1, 'smtp', 0, NULL, NULL),"
                      " (9, 1, 'api', 0, NULL, NULL), (10, 1, 'smtp', 0, NULL, NULL),"
                      " (11, 2, 'smtp', 0, NULL, NULL), (12, 1, 'smtp', 0, NULL, NULL)");
    edge_fixture_exec(
        s->dir, EDGE_FILE_AUTH,
        "INSERT INTO credential_secret (id, key_hash, cram_state) VALUES (8, x'01', zeroblob(32)),"
        " (9, x'02', zeroblob(32)), (10, x'03', NULL), (11, x'04', zeroblob(32)),"
        " (12, x'05', zeroblob(31))");
    g_autoptr(GArray) states = edge_cram_states(s->edge, "acme", "main", NOW, &error);
    assert_no_error(error);
    assert_int_equal(states->len, 2);
    assert_int_equal(g_array_index(states, EdgeCram, 0).id, 8);
    assert_int_equal(g_array_index(states, EdgeCram, 1).id, 7);
    assert_memory_equal(g_array_index(states, EdgeCram, 1).state, cram_state, sizeof(cram_state));
}

static void test_edge_cram_used(void **state)
{
    static const struct {
        const char *change;
        gboolean any;
    } cases[] = {
        {"SELECT 1", TRUE},
        {"UPDATE credential_secret SET old_cram_state = cram_state, cram_state = NULL", TRUE},
        {"UPDATE credential_secret SET old_cram_state = NULL", FALSE},
        {"DELETE FROM credential_secret", FALSE},
    };
    EdgeWorld *s = *state;
    GError *error = NULL;

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        gboolean any = !cases[i].any;
        edge_fixture_exec(s->dir, EDGE_FILE_AUTH, cases[i].change);
        assert_true(edge_cram_used(s->edge, &any, &error));
        assert_int_equal(any, cases[i].any);
    }
}

static void test_edge_cram_states_bounded(void **state)
{
    EdgeWorld *s = *state;

    edge_fixture_exec(s->dir, EDGE_FILE_DIRECTORY,
                      "WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n LIMIT 1500)"
                      " INSERT INTO credential SELECT i, 1, 'smtp', 0, NULL, NULL FROM n");
    edge_fixture_exec(s->dir, EDGE_FILE_AUTH,
                      "WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n LIMIT 1500)"
                      " INSERT INTO credential_secret (id, key_hash, cram_state) SELECT i, i, "
                      "zeroblob(32) FROM n");
    g_autoptr(GArray) states = edge_cram_states(s->edge, "acme", "main", NOW, NULL);
    assert_int_equal(states->len, EDGE_CRAM_STATES_MAX);
    assert_int_equal(g_array_index(states, EdgeCram, 0).id, 1599);
}

static void test_edge_cram_states_unknown_is_empty(void **state)
{
    static const char *const names[][2] = {
        {"acme", "other"}, {"other", "main"}, {"", ""}, {"ACME", "main"}, {"acme", "' OR 1=1"}};
    EdgeWorld *s = *state;

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GArray) states = edge_cram_states(s->edge, names[i][0], names[i][1], NOW, NULL);
        assert_non_null(states);
        assert_int_equal(states->len, 0);
    }
}

static void test_edge_domain_for_table(void **state)
{
    static const struct {
        const char *name;
        guint32 server, organization;
        guint32 id; /* 0: NOT_FOUND */
    } cases[] = {
        {"acme.test", 1, 1, 1},      {"ACME.Test", 1, 1, 1},     {"org.test", 1, 1, 2},
        {"org.test", 5, 1, 2},       {"both.test", 1, 1, 4},     {"acme.test", 5, 9, 0},
        {"org.test", 5, 9, 0},       {"new.test", 5, 1, 0},      {"sub.acme.test", 5, 1, 0},
        {"other.test", 5, 1, 0},     {"any.test", 2, 1, 7},      {"", 5, 1, 0},
        {"x.test", 2, 1, 6},         {"a.up.test", 5, 1, 9},     {"A.B.up.Test", 5, 1, 9},
        {"up.test", 5, 1, 9},        {"xup.test", 5, 1, 0},      {"a.near.up.test", 5, 1, 10},
        {"test", 5, 1, 0},           {"a.lone", 5, 1, 0},        {"a.up.test", 5, 9, 0},
        {"a.off.test", 5, 1, 0},     {"a.up.test.", 5, 1, 0},    {"..up.test", 5, 1, 0},
        {"a.srv.test", 1, 1, 13},    {"a.srv.test", 5, 1, 12},   {"b\u00fccher.test", 5, 1, 15},
        {"a\uff20up.test", 5, 1, 0}, {"u\u200dp.test", 5, 1, 0},
    };
    EdgeWorld *s = *state;

    edge_fixture_exec(
        s->dir, EDGE_FILE_DIRECTORY,
        "INSERT INTO domain VALUES (2, 1, NULL, 'org.test', 1, 1, 0, NULL),"
        " (3, 1, NULL, 'both.test', 1, 0, 0, NULL), (4, 1, 1, 'both.test', 1, 0, 0, NULL),"
        " (5, 1, NULL, 'new.test', NULL, 0, 1, NULL), (6, 1, 2, 'aaa.test', 1, 1, 0, NULL),"
        " (7, 1, 2, 'any.test', 1, 1, 0, NULL), (8, 1, 2, 'a.test', NULL, 1, 0, NULL),"
        " (9, 1, NULL, 'up.test', 1, 0, 1, 'psrp'), (10, 1, NULL, 'near.up.test', 1, 0, 1, NULL),"
        " (11, 1, NULL, 'lone', 1, 0, 1, NULL), (12, 1, NULL, 'srv.test', 1, 0, 1, NULL),"
        " (13, 1, 1, 'srv.test', 1, 0, 1, NULL), (14, 1, NULL, 'off.test', NULL, 0, 1, NULL),"
        " (15, 1, NULL, 'xn--bcher-kva.test', 1, 0, 0, NULL)");
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        GError *error = NULL;
        g_autoptr(EdgeDomain) domain =
            edge_domain_for(s->edge, cases[i].server, cases[i].organization, cases[i].name, &error);
        if (cases[i].id == 0) {
            assert_null(domain);
            assert_error_code(error, NOT_FOUND);
        } else {
            assert_no_error(error);
            assert_int_equal(domain->id, cases[i].id);
        }
    }
}

static void test_edge_lanes_of_pool_table(void **state)
{
    static const struct {
        guint32 pool;
        guint count;
    } cases[] = {{1, 3}, {2, 1}, {0, 3}, {3, 0}, {G_MAXUINT32, 0}};
    EdgeWorld *s = *state;

    edge_fixture_exec(s->dir, EDGE_FILE_DIRECTORY,
                      "INSERT INTO ip_pool VALUES (2, 'p', 0, 'default');"
                      "INSERT INTO ip_address VALUES (9, 9, 2, '192.0.2.9', NULL, 'x', 0)");
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GArray) lanes = edge_lanes_of_pool(s->edge, cases[i].pool, NULL);
        assert_int_equal(lanes->len, cases[i].count);
    }
    g_autoptr(GArray) all = edge_lanes(s->edge, NULL);
    assert_int_equal(all->len, 4);
    assert_string_equal(g_array_index(all, EdgeLane, 0).ipv6, "2001:db8::11");
    assert_null(g_array_index(all, EdgeLane, 2).ipv6);
    assert_int_equal(g_array_index(all, EdgeLane, 2).weight, 50);
}

static void test_edge_lanes_without_default_pool(void **state)
{
    EdgeWorld *s = *state;

    edge_fixture_exec(s->dir, EDGE_FILE_DIRECTORY, "UPDATE ip_pool SET is_default = 0");
    g_autoptr(GArray) lanes = edge_lanes_of_pool(s->edge, 0, NULL);
    assert_non_null(lanes);
    assert_int_equal(lanes->len, 0);
}

static void test_edge_sign_keys_active_rsa_first(void **state)
{
    EdgeWorld *s = *state;

    edge_fixture_exec(s->dir, EDGE_FILE_SIGN,
                      "UPDATE dkim_key SET id = 20 WHERE id = 1;"
                      "INSERT INTO dkim_key VALUES (8, 1, 'old', 'rsa', 'x', 'retired'),"
                      " (9, 1, 'new', 'rsa', 'x', 'new')");
    g_autoptr(GArray) keys = edge_sign_keys(s->edge, 1, NULL);
    assert_int_equal(keys->len, 2);
    assert_string_equal(g_array_index(keys, EdgeSignKey, 0).selector, "rsa1");
    assert_string_equal(g_array_index(keys, EdgeSignKey, 0).private_key, "RSA PEM");
    assert_false(g_array_index(keys, EdgeSignKey, 0).ed25519);
    assert_true(g_array_index(keys, EdgeSignKey, 1).ed25519);
    g_autoptr(GArray) installation = edge_sign_keys(s->edge, 0, NULL);
    assert_int_equal(installation->len, 1);
    g_autoptr(GArray) none = edge_sign_keys(s->edge, 5, NULL);
    assert_int_equal(none->len, 0);
}

#define CASE(name, with) cmocka_unit_test_setup_teardown(name, with, edge_world_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_edge_api_credential_by_key, setup),
        CASE(test_edge_credential_by_key_found, setup),
        CASE(test_edge_credential_sees_changes, setup),
        CASE(test_edge_credential_not_found, setup),
        CASE(test_edge_cram_states_newest_first, setup),
        CASE(test_edge_cram_used, setup),
        CASE(test_edge_cram_states_bounded, setup),
        CASE(test_edge_cram_states_unknown_is_empty, setup),
        CASE(test_edge_domain_for_table, setup),
        CASE(test_edge_lanes_of_pool_table, setup),
        CASE(test_edge_lanes_without_default_pool, setup),
        CASE(test_edge_sign_keys_active_rsa_first, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
