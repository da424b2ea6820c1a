/* SPDX-License-Identifier: MIT */
/* Deliveries put recipients on the list and take them off again: the same in whatever order events come. */
#include <stdio.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/journal/journal.h"
#include "tests/lib/database_fixture.h"
#include "tests/lib/testing.h"
#include "worker/event_apply.h"
#include "worker/suppressor.h"

#define DATABASE "suppressor"
#define DAYS     30
#define ROUNDS   30

static MariadbFixture *server;
static Sql *sql;
static guint64 seq;
static gint64 base; /* Unix microseconds */

static const EventSource source = {
    .node = 1, .program = "test", .epoch = "0123456789abcdef", .suppression_days = DAYS};

/* An attempt of message id, so many minutes after base. */
typedef struct {
    guint id;
    int minute;
    const char *status, *class;
    const char *rcpt; /* NULL: r@x.test */
    guint server;     /* 0: 2 */
    const char *text; /* NULL: "words of ID" */
    gboolean gave_up;
} Attempt;

static char *run(const char *text)
{
    return g_strchomp(mariadb_fixture_run(server, DATABASE, text));
}

static char *event_of(const Attempt *attempt)
{
    g_autofree char *class =
        attempt->class ? g_strdup_printf(",\"class\":\"%s\"", attempt->class) : g_strdup("");

    g_autofree char *words = g_strdup_printf("words of %u", attempt->id);
    g_autofree char *rcpt =
        attempt->gave_up
            ? g_strdup("")
            : g_strdup_printf(",\"rcpt\":\"%s\"", attempt->rcpt ? attempt->rcpt : "r@x.test");

    return g_strdup_printf("{\"id\":%u,\"server\":%u,\"attempt\":%u,\"at\":%" G_GINT64_FORMAT
                           ",\"status\":\"%s\",\"text\":\"%s\"%s%s%s}",
                           attempt->id, attempt->server ? attempt->server : 2,
                           attempt->id * 10000 + (guint)(attempt->minute + 50),
                           base + attempt->minute * G_TIME_SPAN_MINUTE, attempt->status,
                           attempt->text ? attempt->text : words, rcpt, class,
                           attempt->gave_up ? ",\"gave_up\":true" : "");
}

/* Applies them together. */
static void apply(const EventSource *from, const Attempt *attempts, guint n)
{
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    g_autofree Event *events = g_new0(Event, n);
    GError *error = NULL;
    guint rejected = 0;

    for (guint i = 0; i < n; i++) {
        g_ptr_array_add(texts, event_of(&attempts[i]));
        events[i] = (Event){.seq = ++seq,
                            .at_us = base,
                            .type = EVENT_DELIVERY_ATTEMPT,
                            .json = texts->pdata[i],
                            .length = strlen(texts->pdata[i])};
    }
    assert_true(event_apply_batch(sql, from, events, n, &rejected, &error));
    assert_no_error(error);
    assert_int_equal(rejected, 0);
}

static void clear(void)
{
    g_free(run("DELETE FROM suppression; DELETE FROM suppression_evidence; DELETE FROM message; "
               "DELETE FROM delivery; DELETE FROM suppression_give_up;"
               "DELETE FROM suppression_tombstone"));
}

#define LIST                                                                                       \
    "SELECT GROUP_CONCAT(scope_id, ' ', address, ' ', source, ' ', COALESCE(message_id, '-') "     \
    "ORDER BY scope_id, address) FROM suppression"

static void assert_list(const char *name, const char *wanted)
{
    g_autofree char *list = run(LIST);

    if (strcmp(list, wanted) != 0)
        fail_msg("%s: %s, not %s", name, list, wanted);
}

#define ATTEMPT(number, after, word, about, ...)                                                   \
    {                                                                                              \
        .id = number, .minute = after, .status = word, .class = about, ##__VA_ARGS__               \
    }
#define HARD(number, after, ...) ATTEMPT(number, after, "HardFail", "address", ##__VA_ARGS__)
#define SENT(number, after, ...) ATTEMPT(number, after, "Sent", NULL, ##__VA_ARGS__)
#define DAY_M                    (24 * 60)

static const struct {
    const char *name;
    Attempt attempts[5];
    const char *wanted; /* "NULL": nobody is suppressed */
} cases[] = {
    {"one refusal", {HARD(1, 0)}, "NULL"},
    {"the same message twice", {HARD(1, 0), HARD(1, 9)}, "NULL"},
    {"two messages", {HARD(1, 0), HARD(2, 9)}, "2 r@x.test hard_fail 2"},
    {"at the same time", {HARD(1, 0), HARD(2, 0)}, "2 r@x.test hard_fail 2"},
    {"three messages", {HARD(1, 0), HARD(3, 5), HARD(2, 9)}, "2 r@x.test hard_fail 2"},
    {"in any case", {HARD(1, 0, .rcpt = "R@X.test"), HARD(2, 9)}, "2 r@x.test hard_fail 2"},
    {"a day apart", {HARD(1, 0), HARD(2, DAY_M)}, "2 r@x.test hard_fail 2"},
    {"more than a day apart", {HARD(1, 0), HARD(2, DAY_M + 1)}, "NULL"},
    {"chain of pairs",
     {HARD(1, 0), HARD(2, DAY_M), HARD(3, 2 * DAY_M + 1)},
     "2 r@x.test hard_fail 2"},
    {"other servers", {HARD(1, 0, .server = 2), HARD(2, 9, .server = 3)}, "NULL"},
    {"other recipients", {HARD(1, 0, .rcpt = "a@x.test"), HARD(2, 9, .rcpt = "b@x.test")}, "NULL"},
    {"server is gone", {HARD(1, 0, .server = 9), HARD(2, 9, .server = 9)}, "NULL"},
    {"no address", {HARD(1, 0, .rcpt = "root"), HARD(2, 9, .rcpt = "root")}, "NULL"},
    {"policy", {ATTEMPT(1, 0, "HardFail", "policy"), ATTEMPT(2, 9, "HardFail", "policy")}, "NULL"},
    {"content",
     {ATTEMPT(1, 0, "HardFail", "content"), ATTEMPT(2, 9, "HardFail", "content")},
     "NULL"},
    {"reputation", {ATTEMPT(1, 0, "HardFail", "reputation"), HARD(2, 9)}, "NULL"},
    {"no class", {ATTEMPT(1, 0, "HardFail", NULL), ATTEMPT(2, 9, "HardFail", NULL)}, "NULL"},
    {"for now",
     {ATTEMPT(1, 0, "SoftFail", "address"), ATTEMPT(2, 9, "SoftFail", "address")},
     "NULL"},
    {"for now, then for good", {ATTEMPT(1, 0, "SoftFail", "address"), HARD(2, 9)}, "NULL"},
    {"taken later", {HARD(1, 0), HARD(2, 9), SENT(3, 10)}, "NULL"},
    {"taken in the same second", {HARD(1, 0), HARD(2, 9), SENT(3, 9)}, "NULL"},
    {"taken later, in capitals",
     {HARD(1, 0, .rcpt = "R@x.test"), HARD(2, 9), SENT(3, 10, .rcpt = "R@x.test")},
     "NULL"},
    {"taken later, in quotes",
     {HARD(1, 0), HARD(2, 9, .rcpt = "\\\"R\\\"@x.test"), SENT(3, 10)},
     "NULL"},
    {"refused with and without quotes",
     {HARD(1, 0, .rcpt = "\\\"r\\\"@x.test"), HARD(2, 9)},
     "2 r@x.test hard_fail 2"},
    {"taken before", {HARD(1, 0), HARD(2, 9), SENT(3, -5)}, "2 r@x.test hard_fail 2"},
    {"taken between", {HARD(1, 0), SENT(3, 5), HARD(2, 9)}, "2 r@x.test hard_fail 2"},
    {"taken by another server",
     {HARD(1, 0), HARD(2, 9), SENT(3, 10, .server = 3)},
     "2 r@x.test hard_fail 2"},
    {"taken, then refused",
     {HARD(1, 0), HARD(2, 9), SENT(3, 10), HARD(4, 20)},
     "2 r@x.test hard_fail 4"},
};

#define UNKNOWN "450 4.1.1 No such user here"
#define SOFT(number, after, ...)                                                                   \
    ATTEMPT(number, after, "SoftFail", "address", .text = UNKNOWN, ##__VA_ARGS__)
#define BUSY(number, after)                                                                        \
    ATTEMPT(number, after, "SoftFail", "capacity", .text = "452 4.2.2 Mailbox full")
#define GIVE_UP(number, after) ATTEMPT(number, after, "HardFail", "capacity", .gave_up = TRUE)

/* In the order of the log: of one message that is certain. */
static const struct {
    const char *name;
    Attempt attempts[6];
    const char *wanted;
} give_ups[] = {
    {"refused for a day",
     {SOFT(1, 0), SOFT(1, DAY_M), GIVE_UP(1, DAY_M + 60)},
     "2 r@x.test soft_fail 1"},
    {"refused for less", {SOFT(1, 0), SOFT(1, DAY_M - 1), GIVE_UP(1, DAY_M + 60)}, "NULL"},
    {"two within a day",
     {SOFT(1, 0), SOFT(2, 1), GIVE_UP(1, 60), GIVE_UP(2, 61)},
     "2 r@x.test soft_fail 2"},
    {"two, one for good", {SOFT(1, 0), GIVE_UP(1, 60), HARD(2, 61)}, "2 r@x.test hard_fail 2"},
    {"two, the later given up",
     {HARD(2, 0), SOFT(1, 10), GIVE_UP(1, 60)},
     "2 r@x.test soft_fail 1"},
    {"two of two days",
     {SOFT(1, 0), GIVE_UP(1, 60), SOFT(2, DAY_M + 1), GIVE_UP(2, DAY_M + 90)},
     "NULL"},
    {"not given up yet", {SOFT(1, 0), SOFT(1, DAY_M), SOFT(1, 2 * DAY_M)}, "NULL"},
    {"the last was another's fault",
     {SOFT(1, 0), SOFT(1, DAY_M), BUSY(1, DAY_M + 9), GIVE_UP(1, DAY_M + 60)},
     "NULL"},
    {"the first was another's fault", {BUSY(1, 0), SOFT(1, DAY_M), GIVE_UP(1, DAY_M + 60)}, "NULL"},
    {"never the address",
     {BUSY(1, 0), BUSY(2, 1), BUSY(1, DAY_M), GIVE_UP(1, DAY_M + 60), GIVE_UP(2, DAY_M + 61)},
     "NULL"},
    {"nothing was said", {GIVE_UP(1, 0), GIVE_UP(2, 1)}, "NULL"},
    {"taken meanwhile",
     {SOFT(1, 0), SOFT(1, DAY_M), SENT(3, DAY_M + 5), GIVE_UP(1, DAY_M + 60)},
     "NULL"},
    {"taken afterwards",
     {SOFT(1, 0), SOFT(1, DAY_M), GIVE_UP(1, DAY_M + 60), SENT(3, DAY_M + 65)},
     "NULL"},
    {"other servers",
     {SOFT(1, 0, .server = 3), SOFT(2, 1),
      ATTEMPT(1, 60, "HardFail", NULL, .server = 3, .gave_up = TRUE), GIVE_UP(2, 61)},
     "NULL"},
};

static guint count_attempts(const Attempt *attempts, guint max)
{
    guint n = 0;

    while (n < max && attempts[n].id)
        n++;
    return n;
}

static guint count_of(guint i)
{
    return count_attempts(cases[i].attempts, G_N_ELEMENTS(cases[i].attempts));
}

/* One by one, all at once, and all once more. */
static void test_suppressor_give_ups(void **state)
{
    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(give_ups); i++) {
        guint n = count_attempts(give_ups[i].attempts, G_N_ELEMENTS(give_ups[i].attempts));
        clear();
        for (guint k = 0; k < n; k++)
            apply(&source, &give_ups[i].attempts[k], 1);
        assert_list(give_ups[i].name, give_ups[i].wanted);
        clear();
        apply(&source, give_ups[i].attempts, n);
        assert_list(give_ups[i].name, give_ups[i].wanted);
        apply(&source, give_ups[i].attempts, n);
        assert_list(give_ups[i].name, give_ups[i].wanted);
    }
}

static void test_suppressor_give_up_tells_what_was_said(void **state)
{
    static const Attempt attempts[] = {SOFT(1, 0), SOFT(1, DAY_M), GIVE_UP(1, DAY_M + 60)};

    (void)state;
    clear();
    apply(&source, attempts, G_N_ELEMENTS(attempts));
    g_autofree char *row = run("SELECT evidence, reason FROM suppression");
    assert_string_equal(row, UNKNOWN "\t" SUPPRESSOR_GAVE_UP);
    /* Removed by hand: the same events do not bring it back. */
    g_free(run("DELETE FROM suppression"));
    apply(&source, attempts, G_N_ELEMENTS(attempts));
    assert_list("replay", "NULL");
}

static void test_suppressor_table(void **state)
{
    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        clear();
        for (guint k = 0; k < count_of(i); k++)
            apply(&source, &cases[i].attempts[k], 1);
        assert_list(cases[i].name, cases[i].wanted);
        clear();
        apply(&source, cases[i].attempts, count_of(i));
        assert_list(cases[i].name, cases[i].wanted);
    }
}

static void shuffle(Attempt *attempts, guint n)
{
    for (guint k = n; k > 1; k--) {
        guint other = (guint)g_random_int_range(0, (gint32)k);
        Attempt kept = attempts[k - 1];
        attempts[k - 1] = attempts[other];
        attempts[other] = kept;
    }
}

/* Shuffled, some of them twice, in batches of any size. */
static void test_suppressor_any_order(void **state)
{
    (void)state;
    for (guint round = 0; round < ROUNDS; round++) {
        guint i = (guint)g_random_int_range(0, G_N_ELEMENTS(cases));
        guint n = count_of(i);
        Attempt attempts[2 * G_N_ELEMENTS(cases[0].attempts)];
        memcpy(attempts, cases[i].attempts, n * sizeof(Attempt));
        memcpy(attempts + n, cases[i].attempts, n * sizeof(Attempt));
        shuffle(attempts, 2 * n);
        clear();
        for (guint at = 0; at < 2 * n;) {
            guint size = (guint)g_random_int_range(1, (gint32)(2 * n - at) + 1);
            apply(&source, attempts + at, size);
            at += size;
        }
        assert_list(cases[i].name, cases[i].wanted);
    }
}

static void test_suppressor_keeps_evidence_and_expiry(void **state)
{
    static const Attempt two[] = {HARD(1, 0), HARD(2, 9)};
    g_autofree char *wanted =
        g_strdup_printf("words of 2\t%" G_GINT64_FORMAT "\t%d",
                        (base + 9 * G_TIME_SPAN_MINUTE) / G_USEC_PER_SEC, DAYS * 86400);

    (void)state;
    clear();
    apply(&source, two, 2);
    g_autofree char *row =
        run("SELECT evidence, created_at, expires_at - created_at FROM suppression");
    assert_string_equal(row, wanted);
}

/* What was put there by others stays what it is; what is over does not count. */
static void test_suppressor_and_others_entries(void **state)
{
    static const struct {
        const char *source, *expires, *after_refusals, *after_taken;
    } table[] = {
        {"manual", "NULL", "2 r@x.test manual -", "2 r@x.test manual -"},
        {"import", "4000000000", "2 r@x.test import -", "2 r@x.test import -"},
        {"complaint", "NULL", "2 r@x.test complaint -", "2 r@x.test complaint -"},
        {"manual", "5", "2 r@x.test hard_fail 2", "NULL"},
        {"soft_fail", "4000000000", "2 r@x.test hard_fail 2", "NULL"},
    };
    static const Attempt refused[] = {HARD(1, 0), HARD(2, 9)};
    static const Attempt taken[] = {SENT(3, 20)};

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(table); i++) {
        clear();
        g_autofree char *text =
            g_strdup_printf("INSERT INTO suppression (scope, scope_id, address, reason, source, "
                            "created_at, expires_at, revision) "
                            "VALUES ('server', 2, 'r@x.test', 'r', '%s', 1, %s, 1)",
                            table[i].source, table[i].expires);
        g_free(run(text));
        apply(&source, refused, 2);
        assert_list(table[i].source, table[i].after_refusals);
        apply(&source, taken, 1);
        assert_list(table[i].source, table[i].after_taken);
    }
}

/* Removed by hand: the same events change nothing, a new refusal does. */
static void test_suppressor_replay_after_removal(void **state)
{
    static const Attempt refused[] = {HARD(1, 0), HARD(2, 9), HARD(3, 12)};

    (void)state;
    clear();
    apply(&source, refused, 2);
    g_free(run("DELETE FROM suppression"));
    apply(&source, refused, 2);
    assert_list("replay", "NULL");
    apply(&source, refused + 2, 1);
    assert_list("new refusal", "2 r@x.test hard_fail 3");
}

static void test_suppressor_off_or_too_late(void **state)
{
    static const Attempt refused[] = {HARD(1, 0), HARD(2, 9)};
    static const Attempt old[] = {HARD(1, -50 * DAY_M), HARD(2, 9 - 50 * DAY_M)};
    EventSource off = source;

    (void)state;
    off.suppression_days = 0;
    clear();
    apply(&off, refused, 2);
    assert_list("off", "NULL");
    clear();
    apply(&source, old, 2);
    assert_list("expired already", "NULL");
}

/* Removal and tombstone have one revision, which is the newest. */
static void test_suppressor_lift_leaves_a_tombstone(void **state)
{
    static const Attempt all[] = {HARD(1, 0), HARD(2, 9), SENT(3, 20)};

    (void)state;
    clear();
    apply(&source, all, 2);
    g_autofree char *id = run("SELECT id FROM suppression");
    apply(&source, all + 2, 1);
    g_autofree char *stone =
        run("SELECT t.id FROM suppression_tombstone t JOIN revision_counter r ON r.revision = "
            "t.revision");
    assert_string_equal(stone, id);
    g_autofree char *left = run("SELECT COUNT(*) FROM suppression_lift");
    assert_string_equal(left, "0");
}

static void test_suppressor_expire(void **state)
{
    GError *error = NULL;
    gint64 now = base / G_USEC_PER_SEC;

    (void)state;
    clear();
    g_autofree char *text = g_strdup_printf(
        "INSERT INTO suppression (scope, scope_id, address, reason, source, created_at, "
        "expires_at, revision) VALUES "
        "('server', 2, 'kept@x.test', '', 'api', 1, %" G_GINT64_FORMAT ", 1),"
        "('installation', 0, 'kept@x.test', '', 'api', 1, NULL, 1),"
        "('server', 2, 'over@x.test', '', 'api', 1, %" G_GINT64_FORMAT ", 1);"
        "INSERT INTO suppression (scope, scope_id, address, reason, source, created_at, "
        "expires_at, revision) "
        "SELECT 'server', 77, CONCAT('m', seq, '@x.test'), '', 'import', 1, NULL, 1 FROM "
        "seq_1_to_12000;"
        "INSERT INTO suppression_tombstone (revision, id, at) VALUES (1, 1, 5), (2, 2, 6);"
        "INSERT INTO suppression_evidence (server_id, address, message_id, at) VALUES (2, 'x', 1, "
        "5);"
        "INSERT INTO suppression_give_up (message_id, server_id, at) VALUES (1, 2, 5)",
        now + 1, now);
    g_free(run(text));
    assert_true(suppressor_expire(sql, now, &error));
    assert_no_error(error);
    g_autofree char *rows =
        run("SELECT GROUP_CONCAT(scope, ' ', address ORDER BY scope) FROM suppression");
    assert_string_equal(rows, "installation kept@x.test,server kept@x.test");
    g_autofree char *stones =
        run("SELECT COUNT(*), COUNT(DISTINCT revision), MIN(revision) > 2 FROM "
            "suppression_tombstone");
    assert_string_equal(stones, "12001\t4\t1");
    g_autofree char *floor = run("SELECT suppression_floor FROM revision_counter");
    assert_string_equal(floor, "2");
    g_autofree char *evidence = run("SELECT (SELECT COUNT(*) FROM suppression_evidence) + "
                                    "(SELECT COUNT(*) FROM suppression_give_up)");
    assert_string_equal(evidence, "0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_suppressor_table),
        cmocka_unit_test(test_suppressor_any_order),
        cmocka_unit_test(test_suppressor_give_ups),
        cmocka_unit_test(test_suppressor_give_up_tells_what_was_said),
        cmocka_unit_test(test_suppressor_keeps_evidence_and_expiry),
        cmocka_unit_test(test_suppressor_and_others_entries),
        cmocka_unit_test(test_suppressor_replay_after_removal),
        cmocka_unit_test(test_suppressor_off_or_too_late),
        cmocka_unit_test(test_suppressor_lift_leaves_a_tombstone),
        cmocka_unit_test(test_suppressor_expire),
    };

    base = g_get_real_time() - 3 * G_TIME_SPAN_DAY;
    server = mariadb_fixture_start();
    sql = database_fixture_open(server, DATABASE);
    g_free(run(
        "INSERT INTO organization (id, permalink, name, created_at, revision) VALUES (1, 'acme', "
        "'A', 0, 1);"
        "INSERT INTO server (id, organization_id, permalink, name, created_at, revision) VALUES "
        "(2, 1, 'main', 'M', 0, 1), (3, 1, 'other', 'O', 0, 1)"));
    int status = cmocka_run_group_tests(tests, NULL, NULL);
    sql_close(sql);
    mariadb_fixture_stop(server);
    return status;
}
