/* SPDX-License-Identifier: MIT */
/* Lines of a log, from a file or the systemd journal, become events of the worker's journal. */
#include <glib/gstdio.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "tests/lib/testing.h"
#include "tests/worker/follower_world.h"

#define JOURNAL_REMOTE "/lib/systemd/systemd-journal-remote"

#define QUEUED  "message.queued\n"
#define REMOVED "message.removed\n"
#define SENT(w) "delivery.attempt Sent 250 2.0.0 " w " 192.0.2.12\n"

static void test_a_message_from_queue_to_end(void **state)
{
    World *world = *state;

    world_accept(world, "4jWn6HVVVz8Y");
    world_say_queued(world, "4jWn6HVVVz8Y", world->sender);
    world_say(world,
              "postfix/outrider-ip2/smtp[77]: 4jWn6HVVVz8Y: to=<x@ok.test>, "
              "relay=mx.ok.test[198.51.100.9]:25, delay=1, delays=0/0/0/1, dsn=4.7.1, "
              "status=deferred (host mx said: 451 4.7.1 later (in reply to RCPT TO command))");
    world_say_sent(world, "4jWn6HVVVz8Y", "ok");
    world_say(world, "postfix/qmgr[9]: 4jWn6HVVVz8Y: removed");
    world_say_sent(world, "4jWn6HVVVz8Y", "after its end");
    world_follow(world);
    world_assert_events(world, QUEUED
                        "delivery.attempt SoftFail host mx said: 451 4.7.1 later (in reply to "
                        "RCPT TO command) 192.0.2.12\n" SENT("ok") REMOVED);
}

static void test_foreign_and_forged_mail_is_ignored(void **state)
{
    World *world = *state;
    g_autofree char *forged = g_strdup(world->sender);

    forged[3] = forged[3] == 'a' ? 'b' : 'a';
    world_say_queued(world, "4jWn6HBBBz8Y", "someone@else.test");
    world_say_sent(world, "4jWn6HBBBz8Y", "foreign");
    world_say_queued(world, "4jWn6HCCCz8Y", forged);
    world_say_sent(world, "4jWn6HCCCz8Y", "forged");
    world_say_queued(world, "4jWn6HDDDz8Y", "");
    world_say_sent(world, "4jWn6HDDDz8Y", "a bounce");
    world_append(world->log, "Nov 21 08:00:00 host sshd[1]: not Postfix\nnonsense\n\n");
    world_follow(world);
    world_assert_events(world, "");
}

static void test_a_reused_queue_id_is_not_ours_any_more(void **state)
{
    World *world = *state;

    world_accept(world, "51FC7A9A54A");
    world_say_queued(world, "51FC7A9A54A", world->sender);
    world_say_queued(world, "51FC7A9A54A", "someone@else.test");
    world_say_sent(world, "51FC7A9A54A", "foreign");
    world_follow(world);
    world_assert_events(world, QUEUED);
}

static void test_null_sender_is_known_by_its_accept(void **state)
{
    World *world = *state;

    assert_int_equal(mail_follower_keep("worker", world->follower), G_MAXUINT64);
    world_restart(world);
    assert_int_equal(mail_follower_keep("milter", world->follower), 0);
    world_accept(world, "4jWn6HWWWz8Y");
    world_say_queued(world, "4jWn6HWWWz8Y", "");
    world_say_sent(world, "4jWn6HWWWz8Y", "null");
    world_follow(world);
    world_assert_events(world, QUEUED SENT("null"));
    assert_int_equal(mail_follower_keep("milter", world->follower), 1);
}

static void test_a_return_path_from_elsewhere_is_ignored(void **state)
{
    World *world = *state;

    world_accept(world, "4jWn6HRRRz8Y");
    world_say_queued(world, "4jWn6HRRRz8Y", world->sender);
    world_say_queued(world, "4jWn6HSSSz8Y", world->sender);
    world_say_sent(world, "4jWn6HSSSz8Y", "replayed");
    world_say_sent(world, "4jWn6HRRRz8Y", "own");
    world_say(world, "postfix/qmgr[9]: 4jWn6HRRRz8Y: removed");
    world_say_queued(world, "4jWn6HTTTz8Y", world->sender);
    world_say_sent(world, "4jWn6HTTTz8Y", "replayed later");
    world_follow(world);
    world_assert_events(world, QUEUED SENT("own") REMOVED);
}

static void run_sql(const char *path, const char *sql)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void test_an_unkept_round_reads_accepts_again(void **state)
{
    World *world = *state;
    GError *error = NULL;
    guint lines;

    world_append(world->log, "nonsense\n");
    world_follow(world);
    world_accept(world, "4jWn6HYYYz8Y");
    world_say_queued(world, "4jWn6HYYYz8Y", world->sender);
    g_autofree char *path = world_below(world, "worker/worker.db");
    run_sql(path,
            "CREATE TRIGGER refuse BEFORE UPDATE ON position BEGIN SELECT RAISE(ABORT, ''); END");
    assert_false(mail_follower_round(world->follower, &lines, &error));
    assert_int_equal(mail_follower_keep("milter", world->follower), 0);
    g_clear_error(&error);
    run_sql(path, "DROP TRIGGER refuse");
    world_say_sent(world, "4jWn6HYYYz8Y", "ok");
    world_follow(world);
    g_autofree char *found = world_events(world);
    assert_non_null(strstr(found, SENT("ok")));
}

static void test_a_requeued_message_keeps_its_id(void **state)
{
    World *world = *state;

    world_accept(world, "4jWn6HFFFz8Y");
    world_say_queued(world, "4jWn6HFFFz8Y", world->sender);
    world_say(world, "postfix/pickup[8]: 4jWn6HGGGz8Y: uid=103 from=<%s> orig_id=4jWn6HFFFz8Y",
              world->sender);
    world_say_queued(world, "4jWn6HGGGz8Y", world->sender);
    world_say_sent(world, "4jWn6HGGGz8Y", "again");
    world_follow(world);
    world_assert_events(world, QUEUED "message.queued true 4jWn6HFFFz8Y\n" SENT("again"));
}

static void test_tls_belongs_to_the_next_delivery_of_the_process(void **state)
{
    World *world = *state;

    world_accept(world, "4jWn6HHHHz8Y");
    world_say_queued(world, "4jWn6HHHHz8Y", world->sender);
    world_say(world, "postfix/outrider-ip2/smtp[77]: Trusted TLS connection established to "
                     "mx.ok.test[198.51.100.9]:25: TLSv1.3 with cipher X (1/1 bits)");
    world_say_sent(world, "4jWn6HHHHz8Y", "tls");
    world_say_sent(world, "4jWn6HHHHz8Y", "clear");
    world_follow(world);
    g_autofree char *found = world_events(world);
    assert_non_null(strstr(found, "tls 192.0.2.12 TLSv1.3"));
    assert_non_null(strstr(found, "clear 192.0.2.12\n"));
}

static void test_expired_and_bounced_are_hard(void **state)
{
    World *world = *state;

    world_accept(world, "4jWn6HXXXz8Y");
    world_say_queued(world, "4jWn6HXXXz8Y", world->sender);
    world_say(world,
              "postfix/outrider-ip2/smtp[7]: 4jWn6HXXXz8Y: to=<x@ok.test>, relay=none, delay=1, "
              "delays=0/0/0/1, dsn=5.4.4, status=bounced (Host not found)");
    world_say(world, "postfix/qmgr[9]: 4jWn6HXXXz8Y: from=<%s>, status=expired, returned to sender",
              world->sender);
    world_follow(world);
    g_autofree char *found = world_events(world);
    assert_non_null(strstr(found, "HardFail Host not found"));
    assert_non_null(strstr(found, "HardFail expired in Postfix's queue"));
}

static void test_deliveries_to_others_are_not_the_messages(void **state)
{
    World *world = *state;

    world_accept(world, "4jWn6HXYZz8Y");
    world_say_queued(world, "4jWn6HXYZz8Y", world->sender);
    world_say(world, "postfix/local[7]: 4jWn6HXYZz8Y: to=<archive@ok.test>, relay=local, delay=1, "
                     "delays=0/0/0/1, dsn=2.0.0, status=sent (delivered to maildir)");
    world_say(world, "postfix/local[7]: 4jWn6HXYZz8Y: to=<alias@ok.test>, orig_to=<x@OK.test>, "
                     "relay=local, delay=1, delays=0/0/0/1, dsn=4.2.2, status=deferred (full)");
    world_say(world, "postfix/smtp[7]: 4jWn6HXYZz8Y: to=<\"x\"@ok.test>, relay=none, delay=1, "
                     "delays=0/0/0/1, dsn=4.2.2, status=deferred (quoted)");
    world_follow(world);
    world_assert_events(world, QUEUED
                        "delivery.attempt SoftFail full\ndelivery.attempt SoftFail quoted\n");
}

static void test_a_book_of_an_older_worker_is_read_on(void **state)
{
    World *world = *state;
    g_autofree char *path = world_below(world, "worker/worker.db");

    run_sql(path,
            "CREATE TABLE queue (queue_id TEXT PRIMARY KEY, id INTEGER NOT NULL, "
            "server INTEGER NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;"
            "CREATE TABLE position (name TEXT PRIMARY KEY, position TEXT NOT NULL) WITHOUT ROWID;"
            "INSERT INTO queue VALUES ('4jWn6HTTBz8Y', 4711 << 22 | 1, 1, 9000000000000000)");
    world_say_sent(world, "4jWn6HTTBz8Y", "old");
    world_follow(world);
    world_assert_events(world, SENT("old"));
}

static void test_a_wiped_milter_journal_is_read_from_its_start(void **state)
{
    World *world = *state;
    g_autofree char *journal = world_below(world, "journal/milter");
    g_autofree char *command = g_strdup_printf("rm -rf -- %s", journal);

    world_accept(world, "4jWn6HVVBz8Y");
    world_accept(world, "4jWn6HVVCz8Y");
    world_append(world->log, "nonsense\n");
    world_follow(world);
    g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL);
    world_accept(world, "4jWn6HVVDz8Y");
    world_restart(world);
    world_say_queued(world, "4jWn6HVVDz8Y", world->sender);
    world_follow(world);
    world_assert_events(world, QUEUED);
}

static void test_rotation_by_rename_loses_nothing(void **state)
{
    World *world = *state;
    g_autofree char *old = g_strconcat(world->log, ".1", NULL);

    world_accept(world, "4jWn6HJJJz8Y");
    world_say_queued(world, "4jWn6HJJJz8Y", world->sender);
    world_follow(world);
    g_rename(world->log, old);
    world_append(old, "Nov 21 08:00:00 host postfix/qmgr[9]: 4jWn6HJJJz8Y: removed\n");
    world_accept(world, "4jWn6HKKKz8Y");
    world_say_queued(world, "4jWn6HKKKz8Y", world->sender);
    world_follow(world);
    world_assert_events(world, QUEUED REMOVED QUEUED);
}

static void test_rotation_while_away_loses_nothing(void **state)
{
    World *world = *state;
    g_autofree char *old = g_strconcat(world->log, "-20261121", NULL);

    world_accept(world, "4jWn6HLLLz8Y");
    world_say_queued(world, "4jWn6HLLLz8Y", world->sender);
    world_follow(world);
    g_clear_pointer(&world->follower, mail_follower_stop);
    world_say_sent(world, "4jWn6HLLLz8Y", "before");
    g_rename(world->log, old);
    world_say_sent(world, "4jWn6HLLLz8Y", "behind");
    world_follow(world);
    world_assert_events(world, QUEUED SENT("before") SENT("behind"));
}

static void test_truncation_starts_anew(void **state)
{
    World *world = *state;

    world_accept(world, "4jWn6HMMMz8Y");
    world_say_queued(world, "4jWn6HMMMz8Y", world->sender);
    world_say_sent(world, "4jWn6HMMMz8Y", "one");
    world_follow(world);
    assert_int_equal(truncate(world->log, 0), 0);
    world_say_sent(world, "4jWn6HMMMz8Y", "two");
    world_follow(world);
    world_assert_events(world, QUEUED SENT("one") SENT("two"));
}

static void test_a_line_in_two_pieces_is_one(void **state)
{
    World *world = *state;

    world_accept(world, "4jWn6HNNNz8Y");
    world_append(world->log, "Nov 21 08:00:00 host postfix/qmgr[9]: 4jWn6HNNNz8Y: from=<");
    world_follow(world);
    world_append(world->log, world->sender);
    world_follow(world);
    world_append(world->log, ">, size=1, nrcpt=1 (queue active)\n");
    world_follow(world);
    world_assert_events(world, QUEUED);
}

static void test_restarts_repeat_nothing(void **state)
{
    World *world = *state;

    world_accept(world, "4jWn6HZZZz8Y");
    for (guint i = 0; i < 5; i++) {
        g_autofree char *words = g_strdup_printf("n%u", i);
        if (i == 0)
            world_say_queued(world, "4jWn6HZZZz8Y", world->sender);
        world_say_sent(world, "4jWn6HZZZz8Y", words);
        world_follow(world);
        world_restart(world);
    }
    world_assert_events(world, QUEUED SENT("n0") SENT("n1") SENT("n2") SENT("n3") SENT("n4"));
}

static void test_a_missing_log_is_said_and_found_later(void **state)
{
    World *world = *state;
    GError *error = NULL;
    guint lines;

    world_restart(world);
    assert_false(mail_follower_round(world->follower, &lines, &error));
    assert_error_code(error, NOT_FOUND);
    world_accept(world, "4jWn6HPPPz8Y");
    world_say_queued(world, "4jWn6HPPPz8Y", world->sender);
    world_follow(world);
    world_assert_events(world, QUEUED);
}

static void test_overlong_and_binary_lines_are_passed_over(void **state)
{
    World *world = *state;
    g_autofree char *huge = g_strnfill(300000, 'x');

    world_append(world->log, huge);
    world_append(world->log, "\n\xff\xfe\x01 binary\n");
    world_accept(world, "4jWn6HQQQz8Y");
    world_say_queued(world, "4jWn6HQQQz8Y", world->sender);
    world_follow(world);
    world_assert_events(world, QUEUED);
}

/* One entry of the journal's export format. */
static void export_entry(GString *out, guint64 at_us, const char *message)
{
    g_string_append_printf(out,
                           "__REALTIME_TIMESTAMP=%" G_GUINT64_FORMAT
                           "\n__MONOTONIC_TIMESTAMP=%" G_GUINT64_FORMAT
                           "\n_BOOT_ID=f0a7a3e6d5a14d1f8d9c6e2b1a0f3c4d\nSYSLOG_FACILITY=2\n"
                           "SYSLOG_IDENTIFIER=postfix/%s\nSYSLOG_PID=77\nMESSAGE=%s\n\n",
                           at_us, at_us % 1000000000,
                           strstr(message, "queue active") ? "qmgr" : "outrider-ip2/smtp", message);
}

static void write_journal(World *world, const char *name, const GString *text)
{
    g_autofree char *source = world_below(world, "export"), *file = world_below(world, name);
    g_autofree char *command = g_strdup_printf(JOURNAL_REMOTE " --output=%s %s", file, source);
    g_autofree char *words = NULL;
    int status = -1;

    assert_true(g_file_set_contents(source, text->str, (gssize)text->len, NULL));
    assert_true(g_spawn_command_line_sync(command, NULL, &words, &status, NULL));
    if (status != 0)
        fail_msg("%s: %s", command, words);
}

static void test_the_systemd_journal_is_followed(void **state)
{
    World *world = *state;
    g_autofree char *folder = world_below(world, "logs"),
                    *source = g_strconcat("journald:", folder, NULL);
    g_autoptr(GString) first = g_string_new(NULL), second = g_string_new(NULL);
    g_autofree char *queued =
        g_strdup_printf("4jWn6HRRRz8Y: from=<%s>, size=1, nrcpt=1 (queue active)", world->sender);

    if (!g_file_test(JOURNAL_REMOTE, G_FILE_TEST_IS_EXECUTABLE))
        skip();
    g_mkdir(folder, 0755);
    world_accept(world, "4jWn6HRRRz8Y");
    export_entry(first, G_GUINT64_CONSTANT(1795250000000000), queued);
    write_journal(world, "logs/one.journal", first);
    world_configure(world, source);
    world_follow(world);
    world_assert_events(world, QUEUED);
    export_entry(second, G_GUINT64_CONSTANT(1795250001000000),
                 "4jWn6HRRRz8Y: to=<x@ok.test>, relay=mx.ok.test[198.51.100.9]:25, delay=0.06, "
                 "delays=0/0.01/0/0.04, dsn=2.0.0, status=sent (250 2.0.0 journal)");
    write_journal(world, "logs/two.journal", second);
    world_restart(world);
    world_follow(world);
    world_assert_events(world, QUEUED SENT("journal"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_a_message_from_queue_to_end),
        CASE(test_foreign_and_forged_mail_is_ignored),
        CASE(test_a_reused_queue_id_is_not_ours_any_more),
        CASE(test_null_sender_is_known_by_its_accept),
        CASE(test_a_return_path_from_elsewhere_is_ignored),
        CASE(test_an_unkept_round_reads_accepts_again),
        CASE(test_a_requeued_message_keeps_its_id),
        CASE(test_tls_belongs_to_the_next_delivery_of_the_process),
        CASE(test_expired_and_bounced_are_hard),
        CASE(test_deliveries_to_others_are_not_the_messages),
        CASE(test_a_book_of_an_older_worker_is_read_on),
        CASE(test_a_wiped_milter_journal_is_read_from_its_start),
        CASE(test_rotation_by_rename_loses_nothing),
        CASE(test_rotation_while_away_loses_nothing),
        CASE(test_truncation_starts_anew),
        CASE(test_a_line_in_two_pieces_is_one),
        CASE(test_restarts_repeat_nothing),
        CASE(test_a_missing_log_is_said_and_found_later),
        CASE(test_overlong_and_binary_lines_are_passed_over),
        CASE(test_the_systemd_journal_is_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
