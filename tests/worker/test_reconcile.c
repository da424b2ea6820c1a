/* SPDX-License-Identifier: MIT */
/* What the queue says of unfinished messages, and how they are read from a real MariaDB. */
#include <string.h>

#include "lib/base/id.h"
#include "lib/seal/return_path.h"
#include "tests/lib/database_fixture.h"
#include "tests/lib/testing.h"
#include "worker/reconcile_page.h"
#include "worker/recipient_key.h"

#define DATABASE "reconcile"
#define DOMAIN   "rp.example"
#define THEN     G_GINT64_CONSTANT(1795000000) /* when the messages were made */

static MariadbFixture *server;
static Sql *sql;
static KeyRing *ring;
static guint64 id; /* of a message of node 3 made THEN */

typedef enum { NOTHING, MESSAGE, ON_HOLD, OTHER_ID, NULL_SENDER, SUBMISSION, SIBLING } InQueue;

static void add_mail(QueueSnapshot *snapshot, InQueue what)
{
    gboolean first = what == SUBMISSION || what == SIBLING;
    const ReturnPath path = {.kind = first ? RETURN_PATH_SUBMISSION : RETURN_PATH_MESSAGE,
                             .id = first ? id - 256 : id,
                             .server = 1};
    g_autofree char *sender =
        what == NULL_SENDER ? g_strdup("") : return_path_seal(ring, &path, DOMAIN);
    g_autofree char *line = g_strdup_printf(
        "{\"queue_name\":\"%s\",\"queue_id\":\"%s\",\"sender\":\"%s\",\"recipients\":"
        "[{\"address\":\"%s\"}]}",
        what == ON_HOLD ? "hold" : "active",
        first              ? "4SUB"
        : what == OTHER_ID ? "4XXX"
                           : "4MSG",
        sender, what == SIBLING ? "sibling@ok.test" : "r@ok.test");
    GError *error = NULL;

    queue_snapshot_add(snapshot, ring, line, strlen(line), &error);
    assert_no_error(error);
}

static QueueSnapshot *snapshot_of(InQueue what, gint64 at)
{
    QueueSnapshot *snapshot = queue_snapshot_new(at * G_USEC_PER_SEC);

    if (what != NOTHING)
        add_mail(snapshot, what);
    queue_snapshot_end(snapshot);
    return snapshot;
}

typedef enum { DIRECT, HELD, REMOVED, UNMADE, MADE } Kind;

static const struct {
    Kind kind;
    gboolean unproven;
    InQueue now, before;
    ReconcileVerdict verdict;
    gboolean confirmed;
} cases[] = {
    {DIRECT, TRUE, MESSAGE, NOTHING, RECONCILE_QUEUED, TRUE},
    {DIRECT, TRUE, NULL_SENDER, NOTHING, RECONCILE_QUEUED, TRUE},
    {DIRECT, FALSE, MESSAGE, MESSAGE, RECONCILE_LEAVE, TRUE},
    {DIRECT, FALSE, NULL_SENDER, MESSAGE, RECONCILE_LEAVE, TRUE},
    {DIRECT, TRUE, OTHER_ID, NOTHING, RECONCILE_LEAVE, FALSE},
    {DIRECT, FALSE, OTHER_ID, NOTHING, RECONCILE_LEAVE, FALSE},
    {DIRECT, TRUE, NOTHING, NOTHING, RECONCILE_ABORTED, FALSE},
    {DIRECT, FALSE, NOTHING, NOTHING, RECONCILE_UNKNOWN, FALSE},
    {DIRECT, TRUE, NOTHING, MESSAGE, RECONCILE_LEAVE, FALSE},
    {DIRECT, FALSE, NOTHING, OTHER_ID, RECONCILE_LEAVE, FALSE},
    {DIRECT, FALSE, SUBMISSION, NOTHING, RECONCILE_UNKNOWN, FALSE},
    {UNMADE, TRUE, SUBMISSION, NOTHING, RECONCILE_SUBMISSION_QUEUED, TRUE},
    {UNMADE, TRUE, SIBLING, NOTHING, RECONCILE_SUBMISSION_QUEUED, TRUE},
    {UNMADE, FALSE, SUBMISSION, NOTHING, RECONCILE_LEAVE, TRUE},
    {UNMADE, TRUE, NOTHING, NOTHING, RECONCILE_ABORTED, FALSE},
    {UNMADE, FALSE, NOTHING, NOTHING, RECONCILE_UNKNOWN, FALSE},
    {UNMADE, FALSE, NOTHING, SIBLING, RECONCILE_LEAVE, FALSE},
    {MADE, FALSE, MESSAGE, SUBMISSION, RECONCILE_LEAVE, TRUE},
    {MADE, FALSE, SUBMISSION, NOTHING, RECONCILE_LEAVE, TRUE},
    {MADE, TRUE, SUBMISSION, NOTHING, RECONCILE_SUBMISSION_QUEUED, TRUE},
    {MADE, FALSE, SIBLING, NOTHING, RECONCILE_UNKNOWN, FALSE},
    {MADE, FALSE, NOTHING, NOTHING, RECONCILE_UNKNOWN, FALSE},
    {MADE, TRUE, NOTHING, NOTHING, RECONCILE_UNKNOWN, FALSE},
    {DIRECT, FALSE, ON_HOLD, ON_HOLD, RECONCILE_QUEUED, TRUE},
    {DIRECT, TRUE, ON_HOLD, NOTHING, RECONCILE_QUEUED, TRUE},
    {MADE, FALSE, ON_HOLD, NOTHING, RECONCILE_QUEUED, TRUE},
    {HELD, FALSE, ON_HOLD, NOTHING, RECONCILE_LEAVE, TRUE},
    {HELD, FALSE, MESSAGE, ON_HOLD, RECONCILE_RELEASED, TRUE},
    {HELD, FALSE, NULL_SENDER, NOTHING, RECONCILE_RELEASED, TRUE},
    {HELD, FALSE, OTHER_ID, ON_HOLD, RECONCILE_LEAVE, FALSE},
    {HELD, FALSE, NOTHING, ON_HOLD, RECONCILE_LEAVE, FALSE},
    {HELD, FALSE, NOTHING, NOTHING, RECONCILE_UNKNOWN, FALSE},
    {REMOVED, TRUE, NOTHING, NOTHING, RECONCILE_UNKNOWN, FALSE},
    {REMOVED, TRUE, MESSAGE, NOTHING, RECONCILE_QUEUED, TRUE},
};

static ReconcileMessage message_of(Kind kind, gboolean unproven)
{
    const gboolean hop = kind == UNMADE || kind == MADE;
    ReconcileMessage message = {.id = id,
                                .server = 1,
                                .status_at_us = THEN * G_USEC_PER_SEC,
                                .unproven = unproven,
                                .made = kind != UNMADE,
                                .recipient = recipient_key("R@ok.test", -1),
                                .removed = kind == REMOVED,
                                .held = kind == HELD,
                                .base = hop ? id - 256 : id,
                                .n = hop ? 2 : 1,
                                .hop = hop,
                                .queue_id = "4MSG",
                                .submission_queue_id = "4SUB"};

    if (kind == UNMADE)
        g_strlcpy(message.queue_id, "4SUB", sizeof(message.queue_id));
    return message;
}

static void test_reconcile_decide_by_table(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        ReconcileMessage message = message_of(cases[i].kind, cases[i].unproven);
        g_autoptr(QueueSnapshot) now = snapshot_of(cases[i].now, THEN + 1000);
        g_autoptr(QueueSnapshot) before = snapshot_of(cases[i].before, THEN + 500);
        const QueuedMail *mail;
        ReconcileVerdict verdict = reconcile_decide(&message, now, before, &mail);
        if (verdict != cases[i].verdict || (mail != NULL) != cases[i].confirmed)
            fail_msg("case %zu: verdict %d, %s", i, (int)verdict,
                     mail ? "confirmed" : "not confirmed");
    }
}

static void test_reconcile_decide_needs_two_looks(void **state)
{
    ReconcileMessage message = message_of(DIRECT, FALSE);
    g_autoptr(QueueSnapshot) now = snapshot_of(NOTHING, THEN + 1000);
    g_autoptr(QueueSnapshot) early = snapshot_of(NOTHING, THEN - 10);
    const QueuedMail *mail;

    (void)state;
    assert_int_equal(reconcile_decide(&message, now, NULL, &mail), RECONCILE_LEAVE);
    assert_int_equal(reconcile_decide(&message, now, early, &mail), RECONCILE_LEAVE);
    message.status_at_us = 0;
    assert_int_equal(reconcile_decide(&message, now, early, &mail), RECONCILE_UNKNOWN);
}

static void run_sql(const char *text)
{
    g_free(mariadb_fixture_run(server, DATABASE, text));
}

static GArray *page_of(const char *status, guint64 after, gint64 before_us)
{
    const ReconcileRange range = {
        .node = 3, .status = status, .after = after, .before_us = before_us};
    GError *error = NULL;
    GArray *page = reconcile_page(sql, &range, &error);

    assert_no_error(error);
    return page;
}

static void test_reconcile_page_reads_what_is_on_hold(void **state)
{
    g_autofree char *text = g_strdup_printf(
        "INSERT INTO message (id, server_id, status, hold_seen_at, released_at) VALUES "
        "(%" G_GUINT64_FORMAT ", 7, 'SoftFail', 5, NULL), (%" G_GUINT64_FORMAT
        ", 7, 'SoftFail', 5, 4), (%" G_GUINT64_FORMAT ", 7, 'SoftFail', 5, 5), (%" G_GUINT64_FORMAT
        ", 7, 'SoftFail', NULL, NULL)",
        id + 4096, id + 4352, id + 4608, id + 4864);
    static const gboolean wanted[] = {TRUE, TRUE, FALSE, FALSE};

    (void)state;
    run_sql(text);
    g_autoptr(GArray) page = page_of("SoftFail", id, 100);
    assert_int_equal(page->len, G_N_ELEMENTS(wanted));
    for (guint i = 0; i < page->len; i++)
        assert_int_equal(g_array_index(page, ReconcileMessage, i).held, wanted[i]);
}

static void test_reconcile_page_reads_a_message_and_its_submission(void **state)
{
    g_autofree char *text = g_strdup_printf(
        "INSERT INTO submission (id, server_id, recipients, hop, queue_id, mail_from, at) VALUES "
        "(%" G_GUINT64_FORMAT ", 7, 2, TRUE, '4SUB', '', 1);"
        "INSERT INTO message (id, server_id, submission_id, status, queue_id, rcpt_to, "
        "accepted_at, "
        "status_at, removed_at) VALUES (%" G_GUINT64_FORMAT ", 7, %" G_GUINT64_FORMAT
        ", 'Accepting', '4SUB', 'R@ok.test', NULL, 99, NULL), (%" G_GUINT64_FORMAT
        ", 7, NULL, 'Pending', NULL, NULL, 5, NULL, 6)",
        id - 256, id, id - 256, id + 256);

    (void)state;
    run_sql(text);
    g_autoptr(GArray) one = page_of("Accepting", 0, 100);
    assert_int_equal(one->len, 1);
    const ReconcileMessage *message = &g_array_index(one, ReconcileMessage, 0);
    assert_true(message->id == id && message->server == 7 && message->base == id - 256);
    assert_true(message->status_at_us == 99 && !message->removed);
    assert_true(message->n == 2 && message->hop && message->unproven && !message->made);
    assert_int_equal(message->recipient, recipient_key("r@ok.test", -1));
    assert_string_equal(message->queue_id, "4SUB");
    assert_string_equal(message->submission_queue_id, "4SUB");
    g_autoptr(GArray) two = page_of("Pending", 0, 1);
    assert_int_equal(two->len, 1);
    message = &g_array_index(two, ReconcileMessage, 0);
    assert_true(message->id == id + 256 && message->made && !message->unproven && !message->hop);
    assert_true(message->removed);
    assert_true(message->base == 0 && message->recipient == 0 && !message->queue_id[0]);
    run_sql("TRUNCATE message; TRUNCATE submission");
}

static void test_reconcile_page_keeps_to_node_status_and_age(void **state)
{
    g_autoptr(GString) text = g_string_new(
        "INSERT INTO message (id, server_id, status, status_at) VALUES (1, 1, 'Held', 1)");
    guint64 after = 0;
    guint count = 0;

    (void)state;
    for (guint i = 0; i < 1200; i++)
        g_string_append_printf(text, ", (%" G_GUINT64_FORMAT ", 1, '%s', 1)",
                               id_at(id, i) + (i % 3 == 2), i % 3 == 1 ? "Sent" : "SoftFail");
    for (guint i = 0; i < 700; i++)
        g_string_append_printf(text, ", (%" G_GUINT64_FORMAT ", 1, 'SoftFail', %u)",
                               id_at(id, 2000 + i), 1 + i / 690);
    run_sql(text->str);
    for (;;) {
        g_autoptr(GArray) page = page_of("SoftFail", after, 2);
        count += page->len;
        if (page->len == 0)
            break;
        assert_true(page->len <= RECONCILE_PAGE);
        assert_true(g_array_index(page, ReconcileMessage, 0).id > after);
        after = g_array_index(page, ReconcileMessage, page->len - 1).id;
    }
    assert_int_equal(count, 400 + 690);
    run_sql("TRUNCATE message");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reconcile_decide_by_table),
        cmocka_unit_test(test_reconcile_decide_needs_two_looks),
        cmocka_unit_test(test_reconcile_page_reads_what_is_on_hold),
        cmocka_unit_test(test_reconcile_page_reads_a_message_and_its_submission),
        cmocka_unit_test(test_reconcile_page_keeps_to_node_status_and_age),
    };
    g_autofree char *keys = ring_generate(0);

    id = id_floor(THEN) + 256 + 3;
    ring = ring_parse("test", keys, NULL);
    server = mariadb_fixture_start();
    sql = database_fixture_open(server, DATABASE);
    int status = cmocka_run_group_tests(tests, NULL, NULL);
    sql_close(sql);
    mariadb_fixture_stop(server);
    ring_free(ring);
    return status;
}
