/* SPDX-License-Identifier: MIT */
/* DKIM keys and proofs of domains in the directory, on a real MariaDB. */
#include <string.h>

#include "lib/base/error.h"
#include "lib/directory/directory.h"
#include "lib/directory/key.h"
#include "lib/directory/verify.h"
#include "tests/lib/database_fixture.h"
#include "tests/lib/testing.h"

#define KEEP  1000
#define AFTER 3600

static const char *const acme[] = {"acme", "acme.example", NULL};

static MariadbFixture *server;

static Record *add(Database *database, DirectoryObject object, const char *first,
                   const char *second, const char *option)
{
    const char *const names[] = {first, second, NULL};
    const DirectoryOption options[] = {{option, NULL}};
    GError *error = NULL;
    Record *record = directory_add(database->sql, object, names, options, option ? 1 : 0, &error);

    assert_no_error(error);
    return record;
}

static int setup(void **state)
{
    Database *database = database_new(server);
    guint made;
    GError *error = NULL;

    assert_true(directory_installation_init(database->sql, &made, &error));
    record_free(add(database, DIRECTORY_ORGANIZATION, "acme", NULL, NULL));
    g_autoptr(Record) domain =
        add(database, DIRECTORY_DOMAIN, "acme", "acme.example", "no-ed25519");
    database->domain = (guint64)record_int(domain, "id");
    *state = database;
    return 0;
}

/* "new active ..." of a list that a call returned. */
static void assert_states(Record *taken, GError *error, const char *wanted)
{
    g_autoptr(Record) list = taken;
    g_autoptr(GString) got = g_string_new(NULL);

    assert_no_error(error);
    for (gsize i = 0; i < json_object_array_length(list); i++)
        g_string_append_printf(got, "%s%s", i ? " " : "",
                               record_text(json_object_array_get_idx(list, i), "state"));
    assert_string_equal(got->str, wanted);
}

static char *text_of_key(Database *database, guint64 domain, guint at, const char *column)
{
    g_autoptr(Record) list = directory_key_list(database->sql, domain, NULL);

    return g_strdup(record_text(json_object_array_get_idx(list, at), column));
}

static gboolean activate(Database *database, guint64 domain, guint at)
{
    g_autofree char *id = text_of_key(database, domain, at, "id");
    gboolean changed = FALSE;
    GError *error = NULL;

    directory_key_activate(database->sql, domain, g_ascii_strtoull(id, NULL, 10), KEEP, &changed,
                           &error);
    assert_no_error(error);
    return changed;
}

static void test_key_first_ones_wait_for_dns(void **state)
{
    Database *database = *state;
    GError *error = NULL;

    assert_states(directory_key_list(database->sql, database->domain, &error), error, "new");
    assert_states(directory_key_list(database->sql, 0, &error), error, "active active");
    assert_rows(database, "SELECT COUNT(*) FROM dns_check WHERE domain_id = 1 AND due_at > 0", "1");
    assert_true(activate(database, database->domain, 0));
    assert_false(activate(database, database->domain, 0));
    assert_states(directory_key_list(database->sql, database->domain, &error), error, "active");
}

static void test_key_rotate_one_takes_the_place(void **state)
{
    Database *database = *state;
    GError *error = NULL;
    Sql *sql = database->sql;

    activate(database, database->domain, 0);
    assert_states(directory_key_rotate(sql, database->domain, NULL, &error), error, "active new");
    assert_rows(database,
                "SELECT COUNT(*) FROM dkim_key n JOIN dkim_key o ON o.id = n.replaces "
                "WHERE n.state = 'new' AND n.bits = 2048 AND n.algorithm = o.algorithm",
                "1");
    assert_true(activate(database, database->domain, 1));
    assert_states(directory_key_list(sql, database->domain, &error), error, "retired active");
    /* Both changed at once, so a replica never has two that sign, or none. */
    assert_rows(database,
                "SELECT COUNT(DISTINCT revision), MAX(removable_at - retired_at) FROM dkim_key "
                "WHERE domain_id = 1",
                "1\t1000");
}

static void test_key_rotate_named_one(void **state)
{
    Database *database = *state;
    GError *error = NULL;
    g_autofree char *selector = text_of_key(database, 0, 1, "selector");

    assert_states(directory_key_rotate(database->sql, 0, selector, &error), error,
                  "active active new");
    assert_states(directory_key_retire(database->sql, 0, selector, KEEP, &error), error,
                  "active retired new");
    /* Retired by hand before: its time does not begin anew. */
    assert_true(activate(database, 0, 2));
    assert_states(directory_key_list(database->sql, 0, &error), error, "active retired active");
}

static void test_key_rotate_refused(void **state)
{
    Database *database = *state;
    GError *error = NULL;
    Sql *sql = database->sql;

    assert_null(directory_key_rotate(sql, database->domain, NULL, &error));
    assert_error_code(error, REFUSED);
    assert_null(directory_key_rotate(sql, database->domain, "or-nobody", &error));
    assert_error_code(error, NOT_FOUND);
    g_autofree char *selector = text_of_key(database, database->domain, 0, "selector");
    assert_null(directory_key_rotate(sql, database->domain, selector, &error));
    assert_error_code(error, REFUSED);
    assert_states(directory_key_rotate(sql, 0, NULL, &error), error, "active new active new");
    assert_null(directory_key_rotate(sql, 0, NULL, &error));
    assert_error_code(error, REFUSED);
}

static void test_key_add_kinds(void **state)
{
    static const struct {
        const char *algorithm;
        guint bits;
    } bad[] = {{"rsa", 1024},    {"rsa", 0},    {"rsa", 2049}, {"rsa", 8192},
               {"ed25519", 256}, {"dsa", 2048}, {"", 0}};
    Database *database = *state;
    GError *error = NULL;

    assert_states(directory_key_add(database->sql, database->domain, "rsa", 3072, &error), error,
                  "new new");
    assert_states(directory_key_add(database->sql, database->domain, "ed25519", 0, &error), error,
                  "new new new");
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        assert_null(directory_key_add(database->sql, database->domain, bad[i].algorithm,
                                      bad[i].bits, &error));
        assert_error_code(error, INVALID);
    }
}

static void test_key_add_too_many(void **state)
{
    Database *database = *state;
    GError *error = NULL;

    for (guint i = 1; i < KEYS_MAX; i++)
        record_free(directory_key_add(database->sql, database->domain, "ed25519", 0, &error));
    assert_no_error(error);
    assert_null(directory_key_add(database->sql, database->domain, "ed25519", 0, &error));
    assert_error_code(error, REFUSED);
}

static void test_key_retire(void **state)
{
    Database *database = *state;
    GError *error = NULL;
    Sql *sql = database->sql;
    g_autofree char *fresh = text_of_key(database, database->domain, 0, "selector");
    g_autofree char *one = text_of_key(database, 0, 0, "selector");
    g_autofree char *other = text_of_key(database, 0, 1, "selector");

    assert_states(directory_key_retire(sql, database->domain, fresh, KEEP, &error), error, "");
    assert_rows(database, "SELECT COUNT(*) FROM tombstone WHERE table_name = 'dkim_key'", "1");
    assert_null(directory_key_retire(sql, database->domain, fresh, KEEP, &error));
    assert_error_code(error, NOT_FOUND);
    assert_states(directory_key_retire(sql, 0, one, KEEP, &error), error, "retired active");
    assert_null(directory_key_retire(sql, 0, other, KEEP, &error));
    assert_error_code(error, REFUSED);
}

/* A look that found the record nowhere, so many seconds ago. */
static gboolean look_in_vain(Database *database, guint64 domain, guint at, guint ago)
{
    g_autofree char *id = text_of_key(database, domain, at, "id");
    g_autofree char *older = g_strdup_printf("UPDATE dkim_key SET vanished_at = vanished_at - %u "
                                             "WHERE id = %s",
                                             ago, id);
    gboolean lost = FALSE;
    GError *error = NULL;

    assert_true(directory_key_vanished(database->sql, domain, g_ascii_strtoull(id, NULL, 10),
                                       "missing", AFTER, &lost, &error));
    assert_no_error(error);
    if (ago)
        g_free(mariadb_fixture_run(server, database->name, older));
    return lost;
}

static void test_key_vanished_long_enough_is_lost(void **state)
{
    Database *database = *state;
    guint64 domain = database->domain;
    GError *error = NULL;

    activate(database, domain, 0);
    assert_false(look_in_vain(database, domain, 0, AFTER));
    assert_false(look_in_vain(database, domain, 0, 0));
    assert_states(directory_key_list(database->sql, domain, &error), error, "active");
    assert_true(look_in_vain(database, domain, 0, 0));
    assert_false(look_in_vain(database, domain, 0, 0));
    assert_states(directory_key_list(database->sql, domain, &error), error, "lost");
    assert_rows(database,
                "SELECT lost_at IS NOT NULL, waits_for, revision = (SELECT revision FROM "
                "revision_counter) FROM dkim_key WHERE domain_id = 1",
                "1\tmissing\t1");
    assert_true(activate(database, domain, 0));
    assert_rows(database,
                "SELECT state, vanished_at, vanished_looks, lost_at, waits_for FROM dkim_key "
                "WHERE domain_id = 1",
                "active\tNULL\t0\tNULL\tNULL");
}

static void test_key_vanished_not_long_enough(void **state)
{
    Database *database = *state;
    guint64 domain = database->domain;
    GError *error = NULL;

    assert_false(look_in_vain(database, domain, 0, AFTER)); /* it is new */
    assert_rows(database, "SELECT vanished_looks FROM dkim_key WHERE domain_id = 1", "0");
    activate(database, domain, 0);
    assert_false(look_in_vain(database, domain, 0, AFTER - 60));
    assert_false(look_in_vain(database, domain, 0, 0));
    assert_false(look_in_vain(database, domain, 0, 0));
    /* Found in between: it begins anew. */
    g_autofree char *id = text_of_key(database, domain, 0, "id");
    assert_true(directory_key_seen(database->sql, g_ascii_strtoull(id, NULL, 10), &error));
    assert_rows(database, "SELECT vanished_at, vanished_looks FROM dkim_key WHERE domain_id = 1",
                "NULL\t0");
    assert_false(look_in_vain(database, domain, 0, AFTER));
    assert_false(look_in_vain(database, domain, 0, AFTER));
    assert_states(directory_key_list(database->sql, domain, &error), error, "active");
}

static void test_key_vanished_last_of_the_installation_signs(void **state)
{
    Database *database = *state;
    GError *error = NULL;
    guint lost = 0;

    for (guint i = 0; i < 5; i++)
        lost += look_in_vain(database, 0, 0, AFTER) + look_in_vain(database, 0, 1, AFTER);
    assert_int_equal(lost, 1);
    assert_states(directory_key_list(database->sql, 0, &error), error, "lost active");
}

static void test_key_lost_can_be_rotated_and_retired(void **state)
{
    Database *database = *state;
    guint64 domain = database->domain;
    GError *error = NULL;

    activate(database, domain, 0);
    for (guint i = 0; i < 3; i++)
        look_in_vain(database, domain, 0, AFTER);
    assert_states(directory_key_rotate(database->sql, domain, NULL, &error), error, "lost new");
    assert_true(activate(database, domain, 1));
    assert_states(directory_key_list(database->sql, domain, &error), error, "retired active");
    for (guint i = 0; i < 3; i++)
        look_in_vain(database, domain, 1, AFTER);
    g_autofree char *selector = text_of_key(database, domain, 1, "selector");
    assert_states(directory_key_retire(database->sql, domain, selector, KEEP, &error), error,
                  "retired retired");
}

static void test_keys_expire_only_what_may_go(void **state)
{
    Database *database = *state;
    GError *error = NULL;
    guint deleted = 9;
    g_autofree char *one = text_of_key(database, 0, 0, "selector");

    record_free(directory_key_retire(database->sql, 0, one, KEEP, &error));
    assert_true(directory_keys_expire(database->sql, &deleted, &error));
    assert_int_equal(deleted, 0);
    g_free(database_run(database, "UPDATE dkim_key SET removable_at = removable_at - 2000"));
    assert_true(directory_keys_expire(database->sql, &deleted, &error));
    assert_int_equal(deleted, 1);
    assert_states(directory_key_list(database->sql, 0, &error), error, "active");
    assert_rows(database, "SELECT COUNT(*) FROM tombstone WHERE table_name = 'dkim_key'", "1");
}

static void test_domain_delete_forgets_all(void **state)
{
    Database *database = *state;
    GError *error = NULL;

    g_free(
        directory_verify_code_new(database->sql, database->domain, "admin@acme.example", &error));
    assert_true(directory_delete(database->sql, DIRECTORY_DOMAIN, acme, &error));
    assert_rows(
        database,
        "SELECT (SELECT COUNT(*) FROM dkim_key WHERE domain_id = 1) + (SELECT COUNT(*) FROM "
        "dns_check WHERE domain_id = 1) + (SELECT COUNT(*) FROM domain_code)",
        "0");
}

static void test_verify_token(void **state)
{
    Database *database = *state;
    GError *error = NULL;

    g_autoptr(Record) domain = directory_verify_token(database->sql, acme, &error);
    assert_no_error(error);
    g_autofree char *text = verify_record(domain);
    assert_true(g_str_has_prefix(text, "outrider-verification="));
    assert_int_equal(strlen(strchr(text, '=') + 1), VERIFY_TOKEN_LENGTH);
    g_free(database_run(database, "UPDATE domain SET verification_token = NULL"));
    g_autoptr(Record) later = directory_verify_token(database->sql, acme, &error);
    g_autofree char *fresh = verify_record(later);
    assert_non_null(fresh);
    assert_string_not_equal(fresh, text);
}

static void unverify(Database *database)
{
    g_free(database_run(database, "UPDATE domain SET verified_at = NULL"));
}

static void test_verify_code(void **state)
{
    Database *database = *state;
    Sql *sql = database->sql;
    guint64 domain = database->domain;
    GError *error = NULL;

    unverify(database);
    assert_false(directory_verify_code(sql, domain, "123456", &error));
    assert_error_code(error, REFUSED);
    g_autofree char *code = directory_verify_code_new(sql, domain, "admin@acme.example", &error);
    assert_no_error(error);
    assert_int_equal(strlen(code), VERIFY_CODE_LENGTH);
    assert_false(directory_verify_code(sql, domain, "no", &error));
    assert_non_null(strstr(error->message, "4 tries are left"));
    g_clear_error(&error);
    assert_rows(database, "SELECT verified_at IS NULL FROM domain", "1");
    assert_true(directory_verify_code(sql, domain, code, &error));
    assert_rows(database,
                "SELECT verified_at IS NULL, revision = (SELECT revision FROM revision_counter) "
                "FROM domain",
                "0\t1");
    /* Good once. */
    unverify(database);
    assert_false(directory_verify_code(sql, domain, code, &error));
    assert_error_code(error, REFUSED);
}

static void test_verify_code_bounds(void **state)
{
    Database *database = *state;
    Sql *sql = database->sql;
    guint64 domain = database->domain;
    GError *error = NULL;

    unverify(database);
    for (guint i = 0; i < VERIFY_CODES_MAX; i++) {
        g_autofree char *code =
            directory_verify_code_new(sql, domain, "admin@acme.example", &error);
        assert_no_error(error);
        for (guint j = 0; j < VERIFY_WRONG_MAX && i == 0; j++) {
            assert_false(directory_verify_code(sql, domain, "wrong", &error));
            assert_error_code(error, REFUSED);
        }
        if (i == 0) {
            assert_false(directory_verify_code(sql, domain, code, &error));
            assert_non_null(strstr(error->message, "too many"));
            assert_error_code(error, REFUSED);
        }
    }
    assert_null(directory_verify_code_new(sql, domain, "admin@acme.example", &error));
    assert_error_code(error, REFUSED);
    g_free(database_run(database, "UPDATE domain_code SET first_at = first_at - 86401"));
    g_autofree char *next_day =
        directory_verify_code_new(sql, domain, "admin@acme.example", &error);
    assert_no_error(error);
}

static void test_verify_decide(void **state)
{
    static const struct {
        VerifyFacts facts;
        const char *given;
        VerifyVerdict verdict;
    } cases[] = {
        {{"123456", 1000, 0}, "123456", VERIFY_GOOD},
        {{"123456", 1000, 4}, "123456", VERIFY_GOOD},
        {{"123456", 1000, 5}, "123456", VERIFY_USED_UP},
        {{"123456", 1000, 0}, "123457", VERIFY_WRONG},
        {{"123456", 1000, 0}, "12345", VERIFY_WRONG},
        {{"123456", 1000, 0}, "", VERIFY_WRONG},
        {{NULL, 1000, 0}, "123456", VERIFY_NONE},
        {{NULL, 1000, 0}, "", VERIFY_NONE},
        {{"123456", 2000 - VERIFY_CODE_SECONDS, 0}, "123456", VERIFY_EXPIRED},
        {{"123456", 2001 - VERIFY_CODE_SECONDS, 0}, "123456", VERIFY_GOOD},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_int_equal(verify_decide(&cases[i].facts, cases[i].given, 2000), cases[i].verdict);
}

static void test_verify_address(void **state)
{
    static const char *const good[] = {"postmaster@acme.example", "Admin@ACME.example",
                                       "hostmaster@acme.example", "webmaster@acme.example",
                                       "administrator@acme.example"};
    static const char *const bad[] = {"",
                                      "postmaster",
                                      "root@acme.example",
                                      "postmaster@sub.acme.example",
                                      "postmaster@example",
                                      "postmaster@acme.example@evil.example",
                                      "postmaster@evil.example,admin@acme.example",
                                      " postmaster@acme.example",
                                      "@acme.example"};
    GError *error = NULL;

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(good); i++)
        assert_true(verify_address(good[i], "acme.example", &error));
    assert_true(verify_address("postmaster@b\u00fccher.example", "xn--bcher-kva.example", &error));
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        assert_false(verify_address(bad[i], "acme.example", &error));
        assert_error_code(error, INVALID);
    }
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, database_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_key_first_ones_wait_for_dns),
        CASE(test_key_rotate_one_takes_the_place),
        CASE(test_key_rotate_named_one),
        CASE(test_key_rotate_refused),
        CASE(test_key_add_kinds),
        CASE(test_key_add_too_many),
        CASE(test_key_retire),
        CASE(test_key_vanished_long_enough_is_lost),
        CASE(test_key_vanished_not_long_enough),
        CASE(test_key_vanished_last_of_the_installation_signs),
        CASE(test_key_lost_can_be_rotated_and_retired),
        CASE(test_keys_expire_only_what_may_go),
        CASE(test_domain_delete_forgets_all),
        CASE(test_verify_token),
        CASE(test_verify_code),
        CASE(test_verify_code_bounds),
        cmocka_unit_test(test_verify_decide),
        cmocka_unit_test(test_verify_address),
    };

    server = mariadb_fixture_start();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    mariadb_fixture_stop(server);
    return failed;
}
