/* SPDX-License-Identifier: MIT */
/* Credentials in the directory, on a real MariaDB: networks, senders, rotation; and how they are used. */
#include <string.h>

#include "lib/base/error.h"
#include "lib/directory/credential_rotate.h"
#include "lib/directory/credential_secret.h"
#include "lib/directory/directory.h"
#include "lib/directory/usage.h"
#include "lib/edge/edge.h"
#include "tests/lib/database_fixture.h"
#include "tests/lib/testing.h"

#define SERVER "acme/main"

static MariadbFixture *server;

static Record *try_add(Database *database, DirectoryObject object, const char *first,
                       const char *second, const DirectoryOption *options, GError **error)
{
    const char *const names[] = {first, second, NULL};
    guint n = 0;

    while (options && options[n].option)
        n++;
    return directory_add(database->sql, object, names, options, n, error);
}

static void add(Database *database, DirectoryObject object, const char *first, const char *second,
                const DirectoryOption *options)
{
    GError *error = NULL;

    record_free(try_add(database, object, first, second, options, &error));
    assert_no_error(error);
}

static void add_source(Database *database, const char *owner, const char *name,
                       const char *networks)
{
    const DirectoryOption options[] = {{"type", "smtp-ip"}, {"network", networks}, {0}};

    add(database, DIRECTORY_CREDENTIAL, owner, name, options);
}

static int setup(void **state)
{
    Database *database = database_new(server);

    add(database, DIRECTORY_ORGANIZATION, "acme", NULL, NULL);
    add(database, DIRECTORY_ORGANIZATION, "other", NULL, NULL);
    add(database, DIRECTORY_SERVER, SERVER, NULL, NULL);
    add(database, DIRECTORY_SERVER, "other/main", NULL, NULL);
    *state = database;
    return 0;
}

static gboolean change(Database *database, const char *name, const char *option, const char *text,
                       GError **error)
{
    const char *const names[] = {SERVER, name, NULL};
    const DirectoryOption options[] = {{option, text}};
    g_autoptr(Record) record =
        directory_change(database->sql, DIRECTORY_CREDENTIAL, names, options, 1, error);

    return record != NULL;
}

static Record *show(Database *database, const char *name)
{
    return directory_show(database->sql, DIRECTORY_CREDENTIAL,
                          (const char *const[]){SERVER, name, NULL}, NULL);
}

static void test_credential_source_has_no_key(void **state)
{
    Database *database = *state;

    add_source(database, SERVER, "relay", "192.0.2.0/24,2001:db8::/48");
    g_autoptr(Record) record = show(database, "relay");
    assert_string_equal(record_text(record, "networks"), "192.0.2.0/24,2001:db8::/48");
    assert_string_equal(record_text(record, "usage"), "Unused");
    assert_null(record_text(record, "key"));
    assert_rows(database, "SELECT COUNT(*) FROM credential_secret", "0");
    assert_rows(database,
                "SELECT GROUP_CONCAT(CONCAT_WS(' ', source, HEX(first), HEX(last), prefix_length) "
                "ORDER BY id) FROM credential_network",
                "1 00000000000000000000FFFFC0000200 00000000000000000000FFFFC00002FF 120,"
                "1 20010DB8000000000000000000000000 20010DB80000FFFFFFFFFFFFFFFFFFFF 48");
}

static void test_credential_scope_refused(void **state)
{
    static const struct {
        DirectoryOption options[4];
        const char *wanted;
    } cases[] = {
        {{{"type", "smtp-ip"}}, "network: a credential of type smtp-ip needs one"},
        {{{"type", "smtp-ip"}, {"network", "none"}},
         "network: a credential of type smtp-ip needs one"},
        {{{"type", "smtp-ip"}, {"network", "10.0.0.0/8"}, {"cram-md5", NULL}},
         "cram-md5: only a credential of type smtp can have it"},
        {{{"type", "api"}, {"cram-md5", NULL}},
         "cram-md5: only a credential of type smtp can have it"},
        {{{"type", "smtp-ip"}, {"network", "10.0.0.0/7"}},
         "network: \"10.0.0.0/7\": is wider than /8"},
        {{{"network", "10.0.0.1/8"}}, "network: \"10.0.0.1/8\": has bits set behind its prefix"},
        {{{"sender", "acme.test"}},
         "sender: \"acme.test\": allowed are an address such as "
         "app@example.com, and @example.com for all of a domain"},
    };
    Database *database = *state;

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        GError *error = NULL;
        assert_null(try_add(database, DIRECTORY_CREDENTIAL, SERVER, "x", cases[i].options, &error));
        assert_string_equal(error->message, cases[i].wanted);
        assert_error_code(error, INVALID);
    }
    assert_rows(database, "SELECT COUNT(*) FROM credential", "0");
    assert_rows(database, "SELECT COUNT(*) FROM credential_network", "0");
}

static void test_credential_network_has_one_holder(void **state)
{
    static const DirectoryOption limit[] = {{"network", "192.0.2.0/24"}, {0}};
    static const DirectoryOption mapped[] = {
        {"type", "smtp-ip"}, {"network", "10.0.0.0/8,::ffff:192.0.2.0/120"}, {0}};
    Database *database = *state;
    GError *error = NULL;

    add_source(database, "other/main", "relay", "192.0.2.0/24");
    assert_null(try_add(database, DIRECTORY_CREDENTIAL, SERVER, "twin", mapped, &error));
    assert_string_equal(error->message,
                        "network: 192.0.2.0/24 belongs to credential other/main relay already");
    assert_error_code(error, EXISTS);
    assert_rows(database, "SELECT COUNT(*) FROM credential_network", "1");
    /* Another prefix is another network, and a limit holds nothing. */
    add_source(database, SERVER, "inner", "192.0.2.0/25");
    add(database, DIRECTORY_CREDENTIAL, SERVER, "app", limit);
    add(database, DIRECTORY_CREDENTIAL, SERVER, "app2", limit);
    assert_false(change(database, "inner", "network", "192.0.2.0/24", &error));
    assert_error_code(error, EXISTS);
    assert_false(change(database, "inner", "network", "none", &error));
    assert_error_code(error, INVALID);
    g_autoptr(Record) record = show(database, "inner");
    assert_string_equal(record_text(record, "networks"), "192.0.2.0/25");
    assert_true(directory_delete(database->sql, DIRECTORY_CREDENTIAL,
                                 (const char *const[]){"other/main", "relay", NULL}, NULL));
    assert_true(change(database, "inner", "network", "192.0.2.0/24", &error));
}

/* The replicas learn of every row that goes; other changes leave the lists alone. */
static void test_credential_scope_changes(void **state)
{
    static const DirectoryOption options[] = {
        {"network", "192.0.2.0/24,10.0.0.0/8"}, {"sender", "app@acme.test,@list.test"}, {0}};
    Database *database = *state;

    add(database, DIRECTORY_CREDENTIAL, SERVER, "app", options);
    assert_true(change(database, "app", "hold", "yes", NULL));
    g_autoptr(Record) before = show(database, "app");
    assert_string_equal(record_text(before, "networks"), "10.0.0.0/8,192.0.2.0/24");
    assert_string_equal(record_text(before, "senders"), "@list.test,app@acme.test");
    assert_rows(database, "SELECT COUNT(*) FROM tombstone", "0");
    assert_true(change(database, "app", "network", "192.0.2.0/24", NULL));
    assert_true(change(database, "app", "sender", "none", NULL));
    g_autoptr(Record) after = show(database, "app");
    assert_string_equal(record_text(after, "networks"), "192.0.2.0/24");
    assert_null(record_text(after, "senders"));
    assert_rows(database,
                "SELECT GROUP_CONCAT(CONCAT(revision, table_name) ORDER BY revision, table_name, "
                "id) FROM tombstone",
                "7credential_network,7credential_network,8credential_sender,8credential_sender");
    assert_true(directory_delete(database->sql, DIRECTORY_CREDENTIAL,
                                 (const char *const[]){SERVER, "app", NULL}, NULL));
    assert_rows(database, "SELECT COUNT(*) FROM credential_network", "0");
    assert_rows(database,
                "SELECT GROUP_CONCAT(table_name ORDER BY table_name) FROM tombstone "
                "WHERE revision = 9",
                "credential,credential_network,credential_secret");
}

static Record *rotate(Database *database, const char *name, const char *overlap, GError **error)
{
    return directory_credential_rotate(database->sql, (const char *const[]){SERVER, name, NULL},
                                       overlap, error);
}

static void assert_hash(Database *database, const char *column, const char *key)
{
    guint8 hash[EDGE_KEY_HASH_LENGTH];
    g_autoptr(GString) wanted = g_string_new(NULL);
    g_autofree char *sql =
        g_strdup_printf("SELECT HEX(%s) FROM credential_secret ORDER BY id LIMIT 1", column);

    edge_key_hash(key, hash);
    for (guint i = 0; i < sizeof hash; i++)
        g_string_append_printf(wanted, "%02X", hash[i]);
    assert_rows(database, sql, wanted->str);
}

static void test_credential_rotate_overlap(void **state)
{
    static const DirectoryOption cram[] = {{"cram-md5", NULL}, {0}};
    Database *database = *state;
    GError *error = NULL;
    g_autoptr(Record) first = try_add(database, DIRECTORY_CREDENTIAL, SERVER, "app", cram, &error);
    gint64 day = 24 * 60 * 60, now = g_get_real_time() / G_USEC_PER_SEC;

    assert_true(record_is_null(first, "old_key_expires_at"));
    g_autoptr(Record) second = rotate(database, "app", NULL, &error);
    assert_no_error(error);
    assert_int_equal((record_int(second, "old_key_expires_at") - now) / day, 7);
    assert_hash(database, "key_hash", record_text(second, "key"));
    assert_hash(database, "old_key_hash", record_text(first, "key"));
    assert_rows(database, "SELECT cram_state <> old_cram_state FROM credential_secret", "1");
    /* The elder one ends with a second rotation. */
    g_autoptr(Record) third = rotate(database, "app", "90d", &error);
    assert_int_equal((record_int(third, "old_key_expires_at") - now) / day, 90);
    assert_hash(database, "old_key_hash", record_text(second, "key"));
    g_autoptr(Record) fourth = rotate(database, "app", "0", &error);
    assert_true(record_is_null(fourth, "old_key_expires_at"));
    assert_hash(database, "key_hash", record_text(fourth, "key"));
    assert_rows(database,
                "SELECT old_key_hash IS NULL AND old_cram_state IS NULL AND old_until IS NULL AND "
                "cram_state IS NOT NULL FROM credential_secret",
                "1");
    g_autoptr(Record) shown = show(database, "app");
    assert_null(record_text(shown, "key"));
}

static void test_credential_rotate_refused(void **state)
{
    static const char *const bad[] = {"", "7", "-1d", "1w", "91d", "7 d", "for ever", "1e3s"};
    Database *database = *state;
    GError *error = NULL;

    add_source(database, SERVER, "relay", "192.0.2.0/24");
    assert_null(rotate(database, "relay", NULL, &error));
    assert_error_code(error, REFUSED);
    assert_null(rotate(database, "nobody", NULL, &error));
    assert_error_code(error, NOT_FOUND);
    add(database, DIRECTORY_CREDENTIAL, SERVER, "app", NULL);
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        if (rotate(database, "app", bad[i], &error))
            fail_msg("overlap %s was allowed", bad[i]);
        assert_true(g_str_has_prefix(error->message, "overlap: "));
        assert_error_code(error, INVALID);
    }
    assert_rows(database, "SELECT COUNT(old_until) FROM credential_secret", "0");
}

static void test_old_keys_expire(void **state)
{
    Database *database = *state;
    gint64 now = g_get_real_time() / G_USEC_PER_SEC;

    add(database, DIRECTORY_CREDENTIAL, SERVER, "app", NULL);
    add(database, DIRECTORY_CREDENTIAL, SERVER, "late", NULL);
    record_free(rotate(database, "app", "1h", NULL));
    record_free(rotate(database, "late", "2h", NULL));
    assert_true(directory_old_keys_expire(database->sql, now, NULL));
    assert_rows(database, "SELECT revision FROM revision_counter", "8");
    assert_true(directory_old_keys_expire(database->sql, now + 3601, NULL));
    assert_rows(database,
                "SELECT GROUP_CONCAT(CONCAT(revision, ' ', ISNULL(old_key_hash)) ORDER BY id) "
                "FROM credential_secret",
                "9 1,8 0");
    assert_rows(database, "SELECT revision FROM revision_counter", "9");
}

static void test_usage_label_table(void **state)
{
    static const struct {
        const char *used, *now, *wanted;
    } cases[] = {
        {NULL, "2026-11-21T08:00:00Z", "Unused"},
        {"2026-11-21T08:00:00Z", "2026-11-21T08:00:00Z", "Active"},
        {"2026-11-22T08:00:00Z", "2026-11-21T08:00:00Z", "Active"}, /* another clock */
        {"2026-10-21T08:00:00Z", "2026-11-21T08:00:00Z", "Active"},
        {"2026-10-21T07:59:59Z", "2026-11-21T08:00:00Z", "Quiet"},
        {"2026-05-21T08:00:00Z", "2026-11-21T08:00:00Z", "Quiet"},
        {"2026-05-21T07:59:59Z", "2026-11-21T08:00:00Z", "Dormant"},
        {"2025-11-21T08:00:00Z", "2026-11-21T08:00:00Z", "Dormant"},
        {"2025-11-21T07:59:59Z", "2026-11-21T08:00:00Z", "Inactive"},
        {"1970-01-01T00:00:01Z", "2026-11-21T08:00:00Z", "Inactive"},
        {"2027-02-28T12:00:00Z", "2027-03-31T12:00:00Z", "Active"}, /* no 31st of February */
        {"2027-02-28T11:59:59Z", "2027-03-31T12:00:00Z", "Quiet"},
        {"2027-02-28T00:00:00Z", "2028-02-29T00:00:00Z", "Dormant"},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GDateTime) now = g_date_time_new_from_iso8601(cases[i].now, NULL);
        g_autoptr(GDateTime) used =
            cases[i].used ? g_date_time_new_from_iso8601(cases[i].used, NULL) : NULL;
        const char *got =
            usage_label(used ? g_date_time_to_unix(used) : 0, g_date_time_to_unix(now));
        if (!g_str_equal(got, cases[i].wanted))
            fail_msg("case %u: %s", i, got);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, database_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_credential_source_has_no_key),
        CASE(test_credential_scope_refused),
        CASE(test_credential_network_has_one_holder),
        CASE(test_credential_scope_changes),
        CASE(test_credential_rotate_overlap),
        CASE(test_credential_rotate_refused),
        CASE(test_old_keys_expire),
        cmocka_unit_test(test_usage_label_table),
    };

    server = mariadb_fixture_start();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    mariadb_fixture_stop(server);
    return failed;
}
