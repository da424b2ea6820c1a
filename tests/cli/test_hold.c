/* SPDX-License-Identifier: MIT */
/* Held mail as an admin sees it, against a real MariaDB. */
#include <string.h>

#include "lib/base/id.h"
#include "tests/cli/cli_fixture.h"
#include "tests/lib/testing.h"

#define FIRST    ((guint64)60000000 << 22 | 1) /* message 0; each of the others is a sequence later */
#define MESSAGES 8

#define DEVELOPMENT                                                                                \
    "1795248000000000, 'development', 'server is in development mode', 1795852800000000"

static char *other_node; /* the configuration of node 2 */

static guint64 message(guint index)
{
    return id_at(FIRST, index);
}

/* The indexes of the messages that a command lists, in order; g_free. */
static char *indexes(const char *line)
{
    g_autofree char *whole = g_strconcat("--json ", line, NULL);
    g_autofree char *out = run_good(whole);
    struct json_object *list = json_tokener_parse(out);
    g_autoptr(GString) text = g_string_new(NULL);

    for (gsize i = 0; i < json_object_array_length(list); i++) {
        struct json_object *id = json_object_object_get(json_object_array_get_idx(list, i), "id");
        g_string_append_printf(
            text, "%u", (guint)(((guint64)json_object_get_int64(id) - FIRST) >> ID_NODE_BITS));
    }
    json_object_put(list);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static void test_hold_list_by_filter(void **state)
{
    g_autofree char *after = g_strdup_printf("hold list --after %" G_GUINT64_FORMAT, message(1));
    g_autofree char *page =
        g_strdup_printf("hold list acme/main --limit 2 --after %" G_GUINT64_FORMAT, message(0));
    const struct {
        const char *line;
        const char *wanted;
    } cases[] = {
        {"hold list", "01247"}, /* not what was released, cancelled or sent */
        {"hold list --limit 2", "01"},
        {"hold list acme", "0127"},
        {"hold list other", "4"},
        {"hold list acme/main", "0127"},
        {"hold list acme/quiet", ""},
        {"hold list other/main", "4"},
        {"hold list --rule development", "02"},
        {"hold list --rule credential", "4"},
        {"hold list --rule suspended", ""},
        {"hold list --rule limit", ""}, /* that was an earlier hold */
        {"hold list acme/main --rule development --to a@ok.test", "0"},
        {"hold list --to a@ok.test", "04"},
        {"hold list --to nobody@ok.test", ""},
        {after, "247"},
        {page, "12"},
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *found = indexes(cases[i].line);
        if (strcmp(found, cases[i].wanted) != 0)
            fail_msg("%s: \"%s\", not \"%s\"", cases[i].line, found, cases[i].wanted);
    }
}

static void test_hold_list_wrong(void **state)
{
    static const struct {
        const char *line;
        int status;
        const char *says;
    } cases[] = {
        {"hold", 64, "a verb is missing"},
        {"hold list acme main", 64, "too many arguments"},
        {"hold list --before 5", 64, "unknown option"},
        {"hold list --rule", 64, "a value is missing"},
        {"hold list --rule Development", 65, "allowed are suspended, credential"},
        {"hold list --rule x", 65, "rule: \"x\""},
        {"hold list --to nobody", 65, "allowed is a mail address"},
        {"hold list --limit 0", 65, "allowed are 1 to 1000"},
        {"hold list --limit 1001", 65, "allowed are 1 to 1000"},
        {"hold list --after x", 65, "after"},
        {"hold list --after 9007199254740992", 65, "after"},
        {"hold list nobody", 69, "nobody"},
        {"hold list acme/nobody", 69, "nobody"},
        {"hold list /", 65, ""},
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *out = NULL, *err = NULL;
        int status = run(cases[i].line, NULL, &out, &err);
        if (status != cases[i].status)
            fail_msg("%s: %d: %s", cases[i].line, status, err);
        assert_has(err, cases[i].says);
    }
}

static void test_hold_list_shows_what_a_release_needs(void **state)
{
    g_autofree char *one = run_good("--json hold list --limit 1");
    g_autofree char *table = run_good("hold list --limit 1");
    g_autofree char *earlier = run_good("--json hold list --to f@ok.test");
    struct json_object *list = json_tokener_parse(one);
    g_autofree char *text = g_strdup(
        json_object_to_json_string_ext(json_object_array_get_idx(list, 0), JSON_C_TO_STRING_PLAIN));
    g_autofree char *wanted = g_strdup_printf(
        "{\"id\":%" G_GUINT64_FORMAT ",\"node\":1,\"organization\":\"acme\",\"server\":\"main\","
        "\"rcpt_to\":\"a@ok.test\",\"status\":\"Held\",\"hold_rule\":\"development\","
        "\"hold_reason\":\"server is in development mode\",\"held_at\":1795248000000001,"
        "\"hold_expires\":1795852800000000,\"queue_id\":\"QHLD0\"}",
        message(0));

    (void)state;
    assert_string_equal(text, wanted);
    json_object_put(list);
    assert_has(
        table,
        "server is in development mode  2026-11-21 08:00:00.000  2026-11-28 08:00:00  QHLD0");
    assert_has(earlier, "\"hold_rule\": null"); /* of the hold before its release */
}

static void test_hold_explained(void **state)
{
    static const struct {
        const char *line;
        const char *parts[5];
    } cases[] = {
        {"explain QHLD0",
         {"Held: held: nothing is sent",
          "to be held: server is in development mode (rule development)",
          "until 2026-11-28 08:00:00", "on hold in Postfix's queue"}},
        {"explain QHLD1", {"SoftFail: ", "  on hold: nothing is sent until it is released\n"}},
        {"explain QHLD3", {"Pending: ", "released from hold"}},
        {"explain QHLD5",
         {"HoldCancelled: deleted while it was held", "reason: deleted by hand\n",
          "hold cancelled: deleted by hand", "no attempt is known\n"}},
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *out = run_good(cases[i].line);
        for (gsize p = 0; p < G_N_ELEMENTS(cases[i].parts) && cases[i].parts[p]; p++)
            assert_has(out, cases[i].parts[p]);
        assert_int_equal(strstr(out, "released from hold") != NULL, i == 2);
    }
    g_autofree char *cancelled = run_good("message list --status HoldCancelled");
    assert_has(cancelled, "QHLD5");
}

static void test_hold_release_wrong(void **state)
{
    static const struct {
        const char *line;
        int status;
        const char *says;
    } cases[] = {
        {"hold release", 65, "wanted are ids, or --server"},
        {"hold cancel", 65, "wanted are ids, or --server"},
        {"hold release --yes", 65, "wanted are ids, or --server"},
        {"hold release 5 --all", 65, "wanted are ids, or --server"},
        {"hold release 5 --rule limit", 65, "wanted are ids, or --server"},
        {"hold cancel --all --to a@ok.test", 65, "wanted are ids, or --server"},
        {"hold cancel --all --server acme", 65, "wanted are ids, or --server"},
        {"hold release x", 65, "id: \"x\""},
        {"hold release 0", 65, "id: \"0\""},
        {"hold release 5 QHLD0", 65, "id: \"QHLD0\""},
        {"hold release -- -5", 65, "id: \"-5\""},
        {"hold release 9007199254740992", 65, "id: "},
        {"hold cancel 5 6x 7", 65, "id: \"6x\""},
        {"hold release --rule x", 65, "allowed are suspended"},
        {"hold release --to nobody", 65, "allowed is a mail address"},
        {"hold release --server nobody", 69, "nobody"},
        {"hold release --server acme/nobody --rule limit", 69, "nobody"},
        {"hold release --server /", 65, ""},
        {"hold release --server", 64, "a value is missing"},
        {"hold release --all=yes", 64, "no value is allowed"},
        {"hold release --after 5", 64, "unknown option"},
        {"hold cancel --limit 5", 64, "unknown option"},
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_wrong(cases[i].line, NULL, cases[i].status, cases[i].says);
}

/* More ids than a command takes. */
static void test_hold_release_too_many(void **state)
{
    static char five[] = "5";
    char *argv[1000 + 7] = {(char[]){OUTRIDER_TEST_CLI}, (char[]){"-c"}, cli_config_file,
                            (char[]){"hold"}, (char[]){"release"}};
    g_autofree char *err = NULL, *good = NULL;
    int status = -1;

    (void)state;
    for (guint i = 5; i < G_N_ELEMENTS(argv) - 1; i++)
        argv[i] = five;
    assert_true(g_spawn_sync(NULL, argv, NULL, G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL, &err,
                             &status, NULL));
    assert_int_equal(WEXITSTATUS(status), 64);
    assert_has(err, "too many arguments");
    argv[1005] = NULL;
    assert_true(g_spawn_sync(NULL, argv, NULL, G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL, &good,
                             &status, NULL));
    assert_int_equal(WEXITSTATUS(status), 69);
    assert_string_equal(good, "outrider: 5 (-): no such message\n"); /* once */
}

/* What cannot be asked is named, and nobody is asked. */
static void test_hold_release_not_asked(void **state)
{
    static const struct {
        const char *options, *verb;
        guint index;
        const char *says;
    } cases[] = {
        {"", "release", 99, "no such message"},
        {"", "release", 3, "(QHLD3): not on hold: Pending"},
        {"", "cancel", 5, "(QHLD5): not on hold: HoldCancelled"},
        {"", "cancel", 6, "(QHLD6): not on hold: Sent"},
        {"", "release", 0, "(QHLD0): its queue id is not known"}, /* Postfix makes no such id */
        {"other", "release", 0, "(QHLD0): held by node 1: release it there"},
        {"other", "cancel", 1, "(QHLD1): held by node 1: cancel it there"},
        {"other", "cancel", 6, "(QHLD6): not on hold: Sent"},
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *out = NULL, *err = NULL;
        g_autofree char *line = g_strdup_printf("-c %s hold %s %" G_GUINT64_FORMAT,
                                                *cases[i].options ? other_node : cli_config_file,
                                                cases[i].verb, message(cases[i].index));
        if (run(line, NULL, &out, &err) != 69)
            fail_msg("%s: %s", line, err);
        assert_has(err, cases[i].says);
        assert_has(out, "absent 0, refused 0, not asked 1\n");
    }
}

static void test_hold_release_of_other_nodes(void **state)
{
    g_autofree char *out = NULL, *err = NULL, *json = NULL, *quiet = NULL;
    g_autofree char *line = g_strdup_printf("-c %s hold release --all", other_node);
    g_autofree char *as_json =
        g_strdup_printf("-c %s --json hold cancel --server acme --rule development", other_node);

    (void)state;
    assert_int_equal(run(line, NULL, &out, &err), 69);
    assert_string_equal(err, "outrider: 5 messages: held by node 1: release them there\n");
    assert_string_equal(out, "released 0, absent 0, refused 0, not asked 5\n");
    assert_int_equal(run(as_json, NULL, &json, &quiet), 69);
    assert_string_equal(quiet, "");
    struct json_object *parsed = json_tokener_parse(json);
    assert_string_equal(
        json_object_to_json_string_ext(parsed, JSON_C_TO_STRING_PLAIN),
        "{\"cancelled\":0,\"absent\":0,\"refused\":0,\"not_asked\":2,\"interrupted\":false,"
        "\"not_done\":[{\"node\":1,\"messages\":2,\"reason\":\"held by node 1: cancel them "
        "there\"}]}");
    json_object_put(parsed);
}

/* A query that finds nothing is done, whether or not outrider-queue runs. */
static void test_hold_release_of_nothing(void **state)
{
    static const char *const lines[] = {
        "hold release --server acme/quiet",
        "hold release --rule suspended",
        "hold release --server other --rule development",
        "hold release --to nobody@ok.test",
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autofree char *out = run_good(lines[i]);
        assert_string_equal(out, "released 0, absent 0, refused 0\n");
    }
    g_autofree char *out = run_good("hold cancel --server acme/quiet");
    assert_string_equal(out, "cancelled 0 for good, absent 0, refused 0\n");
}

/* The last test, as it adds messages: 100 need no --yes, 101 do. Nobody answers on the socket. */
static void test_hold_release_of_many(void **state)
{
    g_autoptr(GString) sql = g_string_new(NULL);
    static const char wanted[] = "nothing is done without --yes";

    (void)state;
    for (guint i = 0; i < 101; i++)
        g_string_append_printf(
            sql,
            "INSERT INTO message (server_id, status, rcpt_to, hold_at, hold_rule, hold_reason, "
            "hold_expires, hold_seen_at, id, queue_id, accepted_at, status_at) VALUES (2, 'Held', "
            "'%s@ok.test', " DEVELOPMENT ", 1795248000000001, %" G_GUINT64_FORMAT
            ", '51FC7A9A%03X', 1795248000000000, 1795248005000000);",
            i == 100 ? "last" : "many", message(100 + i), i);
    g_free(mariadb_fixture_run(cli_server, "cli", sql->str));
    assert_wrong("hold release --server acme/quiet", NULL, 69, wanted);
    assert_wrong("hold release --all", NULL, 69, wanted);
    assert_wrong("hold cancel --server acme --rule development", NULL, 69, wanted);
    assert_wrong("hold cancel --to many@ok.test", NULL, 75, "outrider-queue did not answer");
    assert_wrong("hold release --server acme/quiet --yes", NULL, 75, "socket queue: No such file");
    g_autofree char *line = g_strdup_printf("--json hold release %" G_GUINT64_FORMAT, message(100));
    assert_wrong(line, NULL, 75, "outrider-queue did not answer");
    g_autofree char *elsewhere =
        g_strdup_printf("-c %s hold release --server acme/quiet", other_node);
    g_autofree char *out = NULL, *err = NULL;
    assert_int_equal(run(elsewhere, NULL, &out, &err), 69);
    assert_has(err, "101 messages: held by node 1");
}

/* Held messages in the states that a hold has. */
static void write_messages(void)
{
    static const char *const rows[MESSAGES] = {
        "1, 'Held', NULL, 'a@ok.test', " DEVELOPMENT ", 1795248000000001, NULL",
        "1, 'SoftFail', NULL, 'b@ok.test', NULL, NULL, NULL, NULL, 1795248001000000, NULL",
        "1, 'Held', NULL, 'c@ok.test', " DEVELOPMENT ", 1795248002000000, NULL",
        "1, 'Pending', NULL, 'a@ok.test', " DEVELOPMENT ", 1795248003000000, 1795248004000000",
        "3, 'Held', NULL, 'a@ok.test', 1795248003000000, 'credential', 'credential is held', NULL, "
        "1795248003000000, NULL",
        "1, 'HoldCancelled', 'deleted by hand', 'd@ok.test', " DEVELOPMENT
        ", 1795248003000000, NULL",
        "1, 'Sent', NULL, 'e@ok.test', " DEVELOPMENT ", 1795248003000000, NULL",
        /* Held for a limit, released, held again by nobody knows whom. */
        "1, 'Held', NULL, 'f@ok.test', 1795248000000000, 'limit', 'a limit is exceeded', NULL, "
        "1795248009000000, 1795248008000000",
    };
    g_autoptr(GString) sql = g_string_new(NULL);

    for (guint i = 0; i < MESSAGES; i++)
        g_string_append_printf(
            sql,
            "INSERT INTO message (server_id, status, status_reason, rcpt_to, hold_at, hold_rule, "
            "hold_reason, hold_expires, hold_seen_at, released_at, id, queue_id, accepted_at, "
            "status_at) VALUES (%s, %" G_GUINT64_FORMAT
            ", 'QHLD%u', 1795248000000000, 1795248005000000);",
            rows[i], message(i), i);
    g_free(mariadb_fixture_run(cli_server, "cli", sql->str));
}

static int start(void **state)
{
    static const char *const lines[] = {
        "organization add other",
        "server add acme/quiet --pool main",
        "server add other/main --pool main",
    };
    int failed = cli_fixture_start(state);
    g_autofree char *text = NULL;

    assert_true(g_file_get_contents(cli_config_file, &text, NULL, NULL));
    g_autofree char *other = g_strconcat(text, "node_id = 2\n", NULL);
    other_node = g_build_filename(cli_dir, "other.conf", NULL);
    assert_true(g_file_set_contents(other_node, other, -1, NULL));
    for (gsize i = 0; i < G_N_ELEMENTS(lines); i++)
        g_free(run_good(lines[i]));
    write_messages();
    return failed;
}

static int stop(void **state)
{
    g_free(other_node);
    return cli_fixture_stop(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hold_list_by_filter),
        cmocka_unit_test(test_hold_list_wrong),
        cmocka_unit_test(test_hold_list_shows_what_a_release_needs),
        cmocka_unit_test(test_hold_explained),
        cmocka_unit_test(test_hold_release_wrong),
        cmocka_unit_test(test_hold_release_too_many),
        cmocka_unit_test(test_hold_release_not_asked),
        cmocka_unit_test(test_hold_release_of_other_nodes),
        cmocka_unit_test(test_hold_release_of_nothing),
        cmocka_unit_test(test_hold_release_of_many),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
