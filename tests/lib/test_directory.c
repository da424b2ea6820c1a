/* SPDX-License-Identifier: MIT */
/* lib/directory: what is written, with a real database. */
#include <string.h>

#include "lib/base/error.h"
#include "lib/directory/credential_secret.h"
#include "lib/directory/directory.h"
#include "lib/directory/dkim_key.h"
#include "lib/directory/key.h"
#include "lib/directory/pool_access.h"
#include "lib/directory/publish.h"
#include "lib/edge/edge.h"
#include "lib/wire/cram.h"
#include "tests/lib/database_fixture.h"
#include "tests/lib/testing.h"

static MariadbFixture *server;

static void test_credential_key_states(void **state)
{
    /* HMAC-MD5 states of the key "key", made with another implementation of MD5. */
    static const guint8 cram[CRAM_STATE_LENGTH] = {0x12, 0xc8, 0x33, 0x1c, 0x41, 0xdb, 0x8f, 0x70,
                                                   0x96, 0xb0, 0x83, 0x8f, 0x35, 0x31, 0xc8, 0x86,
                                                   0x25, 0x32, 0x3e, 0xd9, 0x6b, 0x1e, 0x48, 0xea,
                                                   0x9c, 0xad, 0x0f, 0xb5, 0x78, 0x7e, 0x7d, 0x57};
    static const guint8 sha256_start[4] = {0x2c, 0x70, 0xe1, 0x2b};
    guint8 got[CRAM_STATE_LENGTH], hash[EDGE_KEY_HASH_LENGTH];
    g_autofree char *one = credential_key_generate(NULL);
    g_autofree char *other = credential_key_generate(NULL);

    (void)state;
    cram_state_make("key", got);
    assert_memory_equal(got, cram, sizeof(cram));
    edge_key_hash("key", hash);
    assert_memory_equal(hash, sha256_start, sizeof(sha256_start));
    assert_true(strlen(one) >= 24);
    assert_string_not_equal(one, other);
}

static void test_dkim_key_generate(void **state)
{
    (void)state;
    for (int ed25519 = 0; ed25519 < 2; ed25519++) {
        GError *error = NULL;
        g_autoptr(DkimKey) key = ed25519 ? dkim_key_generate("ed25519", 0, &error)
                                         : dkim_key_generate("rsa", DKIM_KEY_BITS, &error);
        assert_no_error(error);
        assert_true(g_str_has_prefix(key->private_key, "-----BEGIN PRIVATE KEY-----\n"));
        assert_true(g_str_has_prefix(key->selector, "or-"));
        assert_int_equal(strlen(key->selector), 9);
        gsize length;
        g_autofree guchar *raw = g_base64_decode(key->public_key, &length);
        assert_int_equal(length, ed25519 ? 32 : 294);
        g_autofree char *record = dkim_key_record(key->algorithm, key->public_key);
        assert_true(
            g_str_has_prefix(record, ed25519 ? "v=DKIM1; k=ed25519; p=" : "v=DKIM1; k=rsa; p="));
    }
}

static void test_publish_txt_splits(void **state)
{
    g_autofree char *long_value = g_strnfill(300, 'a');
    g_autofree char *split = publish_txt(long_value);
    g_autofree char *whole = publish_txt("v=spf1 -all");

    (void)state;
    assert_string_equal(whole, "\"v=spf1 -all\"");
    assert_int_equal(strlen(split), 300 + 5);
    assert_memory_equal(split + 256, "\" \"", 3);
}

static int setup(void **state)
{
    *state = database_new(server);
    return 0;
}

static Record *add(void **state, DirectoryObject object, const char *first, const char *second)
{
    static const DirectoryOption address[] = {{"ipv4", "192.0.2.1"}, {"helo", "out.example"}};
    Database *database = *state;
    const char *const names[] = {first, second, NULL};
    GError *error = NULL;
    Record *record = directory_add(database->sql, object, names, address,
                                   object == DIRECTORY_ADDRESS ? 2 : 0, &error);

    assert_no_error(error);
    return record;
}

static void fill(void **state)
{
    record_free(add(state, DIRECTORY_ORGANIZATION, "acme", NULL));
    record_free(add(state, DIRECTORY_SERVER, "acme/main", NULL));
    record_free(add(state, DIRECTORY_DOMAIN, "acme", "acme.example"));
    record_free(add(state, DIRECTORY_DOMAIN, "acme/main", "acme.example"));
    record_free(add(state, DIRECTORY_POOL, "main", NULL));
    record_free(add(state, DIRECTORY_ADDRESS, "main", NULL));
}

static void test_directory_add_revisions_rise(void **state)
{
    Database *database = *state;

    fill(state);
    g_autofree char *revisions = database_run(
        database, "SELECT GROUP_CONCAT(revision ORDER BY revision) FROM (SELECT revision "
                  "FROM organization UNION SELECT revision FROM server UNION SELECT "
                  "revision FROM domain UNION SELECT revision FROM ip_pool UNION SELECT "
                  "revision FROM ip_address) x");
    g_autofree char *keys =
        database_run(database, "SELECT COUNT(*), COUNT(DISTINCT selector), SUM(algorithm = 'rsa') "
                               "FROM dkim_key JOIN domain d ON d.id = domain_id AND "
                               "d.revision = dkim_key.revision");
    assert_string_equal(revisions, "1,2,3,4,5,6");
    assert_string_equal(keys, "4\t4\t2");
}

static void test_directory_add_refused(void **state)
{
    static const struct {
        DirectoryObject object;
        const char *first, *second;
        OutriderError code;
    } cases[] = {
        {DIRECTORY_ORGANIZATION, "acme", NULL, OUTRIDER_ERROR_EXISTS},
        {DIRECTORY_ORGANIZATION, "acme/main", NULL, OUTRIDER_ERROR_INVALID},
        {DIRECTORY_SERVER, "acme/main", NULL, OUTRIDER_ERROR_EXISTS},
        {DIRECTORY_SERVER, "acme", NULL, OUTRIDER_ERROR_INVALID},
        {DIRECTORY_SERVER, "acme/", NULL, OUTRIDER_ERROR_INVALID},
        {DIRECTORY_SERVER, "acme/a/b", NULL, OUTRIDER_ERROR_INVALID},
        {DIRECTORY_SERVER, "nobody/main", NULL, OUTRIDER_ERROR_NOT_FOUND},
        {DIRECTORY_DOMAIN, "acme", "acme.example", OUTRIDER_ERROR_EXISTS},
        {DIRECTORY_DOMAIN, "acme/none", "acme.example", OUTRIDER_ERROR_NOT_FOUND},
        {DIRECTORY_DOMAIN, "acme", "acme", OUTRIDER_ERROR_INVALID},
        {DIRECTORY_CREDENTIAL, "acme", "app", OUTRIDER_ERROR_INVALID},
        {DIRECTORY_CREDENTIAL, "acme/none", "app", OUTRIDER_ERROR_NOT_FOUND},
        {DIRECTORY_POOL, "main", NULL, OUTRIDER_ERROR_EXISTS},
        {DIRECTORY_ADDRESS, "main", NULL, OUTRIDER_ERROR_INVALID}, /* without ipv4 and helo */
    };
    Database *database = *state;

    fill(state);
    g_autofree char *before = database_run(database, "SELECT revision FROM revision_counter");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *const names[] = {cases[i].first, cases[i].second, NULL};
        GError *error = NULL;
        assert_null(directory_add(database->sql, cases[i].object, names, NULL, 0, &error));
        assert_non_null(error);
        if (error->code != (int)cases[i].code)
            fail_msg("case %zu: %s", i, error->message);
        g_clear_error(&error);
    }
    g_autofree char *after = database_run(database, "SELECT revision FROM revision_counter");
    assert_string_equal(before, after);
}

static void test_directory_credential_secret(void **state)
{
    static const DirectoryOption cram[] = {{"cram-md5", NULL}};
    Database *database = *state;
    GError *error = NULL;

    fill(state);
    g_autoptr(Record) plain = add(state, DIRECTORY_CREDENTIAL, "acme/main", "plain");
    g_autoptr(Record) both =
        directory_add(database->sql, DIRECTORY_CREDENTIAL,
                      (const char *const[]){"acme/main", "both", NULL}, cram, 1, &error);
    assert_no_error(error);
    g_autofree char *hash =
        g_compute_checksum_for_string(G_CHECKSUM_SHA256, record_text(plain, "key"), -1);
    g_autofree char *upper = g_ascii_strup(hash, -1);
    g_autofree char *stored =
        database_run(database, "SELECT HEX(key_hash) FROM credential_secret ORDER BY id LIMIT 1");
    g_autofree char *states =
        database_run(database, "SELECT SUM(cram_state IS NULL), SUM(LENGTH(cram_state)) "
                               "FROM credential_secret");
    assert_string_equal(stored, upper);
    assert_string_equal(states, "1\t32");
    g_autoptr(Record) shown =
        directory_show(database->sql, DIRECTORY_CREDENTIAL,
                       (const char *const[]){"acme/main", "plain", NULL}, &error);
    assert_null(record_text(shown, "key"));
}

static void test_directory_change(void **state)
{
    static const DirectoryOption suspend[] = {
        {"suspend", "unpaid"}, {"pool", "main"}, {"shadow", "yes"}};
    static const DirectoryOption resume[] = {{"resume", NULL}};
    static const DirectoryOption wrong[] = {{"mode", "live"}, {"name", ""}};
    static const DirectoryOption unknown[] = {{"weight", "1"}};
    static const char *const names[] = {"acme/main", NULL};
    Database *database = *state;
    GError *error = NULL;

    fill(state);
    assert_true(pool_access_allow(database->sql, "main", "acme", &error));
    g_autoptr(Record) suspended =
        directory_change(database->sql, DIRECTORY_SERVER, names, suspend, 3, &error);
    assert_no_error(error);
    assert_string_equal(record_text(suspended, "suspension_reason"), "unpaid");
    assert_true(record_int(suspended, "suspended_at") > 0);
    assert_string_equal(record_text(suspended, "pool"), "main");
    assert_int_equal(record_int(suspended, "shadow"), 1);
    g_autoptr(Record) resumed =
        directory_change(database->sql, DIRECTORY_SERVER, names, resume, 1, &error);
    assert_no_error(error);
    assert_true(record_is_null(resumed, "suspended_at"));
    assert_true(record_is_null(resumed, "suspension_reason"));
    assert_string_equal(record_text(resumed, "pool"), "main");
    assert_true(record_int(resumed, "revision") > record_int(suspended, "revision"));
    assert_null(directory_change(database->sql, DIRECTORY_SERVER, names, wrong, 2, &error));
    assert_error_code(error, INVALID);
    assert_null(directory_change(database->sql, DIRECTORY_SERVER, names, unknown, 1, &error));
    assert_error_code(error, INVALID);
    assert_null(directory_change(database->sql, DIRECTORY_SERVER, names, NULL, 0, &error));
    assert_error_code(error, INVALID);
}

static void test_directory_pool_one_default(void **state)
{
    static const DirectoryOption set[] = {{"default", NULL}};
    Database *database = *state;
    GError *error = NULL;

    for (guint i = 0; i < 2; i++) {
        const char *const names[] = {i ? "b" : "a", NULL};
        record_free(directory_add(database->sql, DIRECTORY_POOL, names, set, 1, &error));
        assert_no_error(error);
    }
    g_autofree char *pools = database_run(database, "SELECT GROUP_CONCAT(CONCAT(name, is_default, "
                                                    "revision) ORDER BY name) FROM ip_pool");
    assert_string_equal(pools, "a02,b12");
}

static void test_directory_delete_in_use(void **state)
{
    static const struct {
        DirectoryObject object;
        const char *name, *user;
    } cases[] = {
        {DIRECTORY_ORGANIZATION, "acme", "server main"},
        {DIRECTORY_SERVER, "acme/main", "domain acme.example"},
        {DIRECTORY_POOL, "main", "address 192.0.2.1"},
    };
    Database *database = *state;

    fill(state);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *const names[] = {cases[i].name, NULL};
        GError *error = NULL;
        assert_false(directory_delete(database->sql, cases[i].object, names, &error));
        assert_non_null(strstr(error->message, cases[i].user));
        assert_error_code(error, REFUSED);
    }
}

static void test_directory_delete_leaves_tombstones(void **state)
{
    Database *database = *state;
    GError *error = NULL;

    fill(state);
    record_free(add(state, DIRECTORY_CREDENTIAL, "acme/main", "app"));
    assert_true(directory_delete(database->sql, DIRECTORY_CREDENTIAL,
                                 (const char *const[]){"acme/main", "app", NULL}, &error));
    assert_true(directory_delete(database->sql, DIRECTORY_DOMAIN,
                                 (const char *const[]){"acme/main", "acme.example", NULL}, &error));
    assert_false(directory_delete(database->sql, DIRECTORY_DOMAIN,
                                  (const char *const[]){"acme/main", "acme.example", NULL},
                                  &error));
    assert_error_code(error, NOT_FOUND);
    g_autofree char *stones =
        database_run(database, "SELECT GROUP_CONCAT(CONCAT(revision, table_name) ORDER BY "
                               "revision, table_name, id) FROM tombstone");
    assert_string_equal(stones, "8credential,8credential_secret,9dkim_key,9dkim_key,9domain");
    g_autofree char *keys = database_run(database, "SELECT COUNT(*) FROM dkim_key");
    assert_string_equal(keys, "2");
}

static void test_directory_installation_init_twice(void **state)
{
    Database *database = *state;
    GError *error = NULL;
    guint made = 99;

    assert_true(directory_installation_init(database->sql, &made, &error));
    assert_int_equal(made, 2);
    assert_true(directory_installation_init(database->sql, &made, &error));
    assert_int_equal(made, 0);
}

/* What pool addresses send must pass SPF of the return-path domain. */
static void test_publish_installation_names_all_addresses(void **state)
{
    static const DirectoryOption second[] = {
        {"ipv4", "192.0.2.2"}, {"ipv6", "2001:db8::2"}, {"helo", "out2.example"}};
    static const char *const wanted[] = {
        "v=spf1 mx ~all", "v=spf1 mx ip4:192.0.2.1 ip4:192.0.2.2 ip6:2001:db8::2 -all"};
    Database *database = *state;
    GError *error = NULL;

    for (gsize i = 0; i < G_N_ELEMENTS(wanted); i++) {
        g_autoptr(Record) list =
            publish_installation(database->sql, "rp.example", "mail.example", &error);
        assert_no_error(error);
        const Record *spf = json_object_array_get_idx(list, 1);
        assert_string_equal(record_text(spf, "name"), "rp.example");
        assert_string_equal(record_text(spf, "value"), wanted[i]);
        if (i > 0)
            break;
        record_free(add(state, DIRECTORY_POOL, "main", NULL));
        record_free(add(state, DIRECTORY_ADDRESS, "main", NULL));
        record_free(directory_add(database->sql, DIRECTORY_ADDRESS,
                                  (const char *const[]){"main", NULL}, second, 3, &error));
        assert_no_error(error);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, database_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_credential_key_states),
        cmocka_unit_test(test_dkim_key_generate),
        cmocka_unit_test(test_publish_txt_splits),
        CASE(test_directory_add_revisions_rise),
        CASE(test_directory_add_refused),
        CASE(test_directory_credential_secret),
        CASE(test_directory_change),
        CASE(test_directory_pool_one_default),
        CASE(test_directory_delete_in_use),
        CASE(test_directory_delete_leaves_tombstones),
        CASE(test_directory_installation_init_twice),
        CASE(test_publish_installation_names_all_addresses),
    };

    server = mariadb_fixture_start();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    mariadb_fixture_stop(server);
    return failed;
}
