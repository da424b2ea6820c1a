/* SPDX-License-Identifier: MIT */
/* Lines of a log, from a file or the systemd journal, become events of the worker's journal. */
#include <glib/gstdio.h>
#include <json-c/json.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/journal/journal.h"
#include "lib/journal/reader.h"
#include "lib/seal/return_path.h"
#include "tests/lib/edge_fixture.h"
#include "tests/lib/testing.h"
#include "worker/mail_follower.h"

#define ID             ((guint64)4711 << 22 | 1)
#define JOURNAL_REMOTE "/lib/systemd/systemd-journal-remote"

typedef struct {
    char *dir;
    char *log;
    char *edge;
    char *sender; /* sealed, of message ID by lane 2 */
    Config *config;
    MailFollower *follower;
} World;

static char *below(const World *world, const char *name)
{
    return g_build_filename(world->dir, name, NULL);
}

static void make_config(World *world, const char *mail_log)
{
    GError *error = NULL;
    g_autofree char *text =
        g_strdup_printf("return_path_domain = rp.example\nspool_dir = %s\nkey_dir = %s\n"
                        "edge_dir = %s\nmail_log = %s\nnode_id = 3\n",
                        world->dir, world->dir, world->edge, mail_log);

    config_free(world->config);
    world->config = config_parse("test", text, -1, &error);
    assert_no_error(error);
}

static void seal_sender(World *world)
{
    g_autofree char *path = below(world, "return"), *text = ring_generate(0);
    const ReturnPath sealed = {.kind = RETURN_PATH_MESSAGE, .id = ID, .server = 1, .lane = 2};
    GError *error = NULL;

    assert_true(g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
    g_autoptr(KeyRing) ring = ring_load(path, &error);
    assert_no_error(error);
    world->sender = return_path_seal(ring, &sealed, "rp.example");
}

static int setup(void **state)
{
    World *world = g_new0(World, 1);
    const EdgeFixture fixture = {.key = "key"};

    world->dir = g_dir_make_tmp("outrider-follow-XXXXXX", NULL);
    world->log = below(world, "mail.log");
    world->edge = below(world, "edge");
    g_autofree char *private = below(world, "worker");
    g_mkdir(private, 0700);
    g_mkdir(world->edge, 0755);
    edge_fixture_fill(world->edge, &fixture);
    seal_sender(world);
    make_config(world, world->log);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    World *world = *state;
    g_autofree char *command = g_strdup_printf("rm -rf -- %s", world->dir);

    mail_follower_stop(world->follower);
    g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL);
    config_free(world->config);
    g_free(world->dir);
    g_free(world->log);
    g_free(world->edge);
    g_free(world->sender);
    g_free(world);
    return 0;
}

static void restart(World *world)
{
    GError *error = NULL;

    mail_follower_stop(world->follower);
    world->follower = mail_follower_new(world->config, &error);
    assert_no_error(error);
}

/* Runs rounds until nothing more is read. */
static void follow(World *world)
{
    GError *error = NULL;
    guint lines, idle = 0;

    if (!world->follower)
        restart(world);
    while (idle < 12) {
        mail_follower_round(world->follower, &lines, &error);
        assert_no_error(error);
        idle = lines ? 0 : idle + 1;
    }
}

static void append_log(const char *path, const char *text)
{
    FILE *file = fopen(path, "a");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* Adds a line: stamp and tag before what is given. */
static void say(World *world, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void say(World *world, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *rest = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_autofree char *line = g_strdup_printf("Nov 21 08:00:00 host %s\n", rest);
    append_log(world->log, line);
}

/* The milter has given message ID this queue id. */
static void accept_as(World *world, const char *queue_id)
{
    GError *error = NULL;
    g_autoptr(Journal) milter = journal_open(world->dir, "milter", NULL, &error);
    g_autofree char *json = g_strdup_printf(
        "{\"v\":1,\"id\":%" G_GUINT64_FORMAT ",\"server\":1,\"queue_id\":\"%s\"}", ID, queue_id);
    const JournalEntry entry = {EVENT_MESSAGE_ACCEPTED, g_get_real_time(), json, -1};

    assert_no_error(error);
    assert_true(journal_append(milter, &entry, 1, &error));
}

static void say_queued(World *world, const char *queue_id, const char *from)
{
    say(world, "postfix/qmgr[9]: %s: from=<%s>, size=372, nrcpt=1 (queue active)", queue_id, from);
}

static void say_sent(World *world, const char *queue_id, const char *words)
{
    say(world,
        "postfix/outrider-ip2/smtp[77]: %s: to=<x@ok.test>, relay=mx.ok.test[198.51.100.9]:25, "
        "delay=0.06, delays=0/0.01/0/0.04, dsn=2.0.0, status=sent (250 2.0.0 %s)",
        queue_id, words);
}

/* The events so far as "type status text" lines. */
static char *events(World *world)
{
    GError *error = NULL;
    g_autoptr(JournalReader) reader = journal_reader_open(world->dir, "worker", 0, &error);
    g_autoptr(GString) text = g_string_new(NULL);
    JournalRecord record;

    assert_no_error(error);
    while (journal_reader_next(reader, &record, &error) == JOURNAL_READ_RECORD) {
        struct json_object *event = json_tokener_parse(record.json), *id, *found;
        assert_true(json_object_object_get_ex(event, "id", &id));
        assert_int_equal(json_object_get_int64(id), ID);
        g_string_append(text, event_name(record.type));
        for (const char *const *key =
                 (const char *const[]){"status", "text", "source", "tls", NULL};
             *key; key++)
            if (json_object_object_get_ex(event, *key, &found))
                g_string_append_printf(text, " %s", json_object_get_string(found));
        g_string_append_c(text, '\n');
        json_object_put(event);
    }
    assert_no_error(error);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static void assert_events(World *world, const char *expected)
{
    g_autofree char *found = events(world);
    assert_string_equal(found, expected);
}

#define QUEUED  "message.queued\n"
#define REMOVED "message.removed\n"
#define SENT(w) "delivery.attempt Sent 250 2.0.0 " w " 192.0.2.12\n"

static void test_a_message_from_queue_to_end(void **state)
{
    World *world = *state;

    accept_as(world, "4jWn6HVVVz8Y");
    say_queued(world, "4jWn6HVVVz8Y", world->sender);
    say(world, "postfix/outrider-ip2/smtp[77]: 4jWn6HVVVz8Y: to=<x@ok.test>, "
               "relay=mx.ok.test[198.51.100.9]:25, delay=1, delays=0/0/0/1, dsn=4.7.1, "
               "status=deferred (host mx said: 451 4.7.1 later (in reply to RCPT TO command))");
    say_sent(world, "4jWn6HVVVz8Y", "ok");
    say(world, "postfix/qmgr[9]: 4jWn6HVVVz8Y: removed");
    say_sent(world, "4jWn6HVVVz8Y", "after its end");
    follow(world);
    assert_events(world,
                  QUEUED "delivery.attempt SoftFail host mx said: 451 4.7.1 later (in reply to "
                         "RCPT TO command) 192.0.2.12\n" SENT("ok") REMOVED);
}

static void test_foreign_and_forged_mail_is_ignored(void **state)
{
    World *world = *state;
    g_autofree char *forged = g_strdup(world->sender);

    forged[3] = forged[3] == 'a' ? 'b' : 'a';
    say_queued(world, "4jWn6HBBBz8Y", "someone@else.test");
    say_sent(world, "4jWn6HBBBz8Y", "foreign");
    say_queued(world, "4jWn6HCCCz8Y", forged);
    say_sent(world, "4jWn6HCCCz8Y", "forged");
    say_queued(world, "4jWn6HDDDz8Y", "");
    say_sent(world, "4jWn6HDDDz8Y", "a bounce");
    append_log(world->log, "Nov 21 08:00:00 host sshd[1]: not Postfix\nnonsense\n\n");
    follow(world);
    assert_events(world, "");
}

static void test_a_reused_queue_id_is_not_ours_any_more(void **state)
{
    World *world = *state;

    accept_as(world, "51FC7A9A54A");
    say_queued(world, "51FC7A9A54A", world->sender);
    say_queued(world, "51FC7A9A54A", "someone@else.test");
    say_sent(world, "51FC7A9A54A", "foreign");
    follow(world);
    assert_events(world, QUEUED);
}

static void test_null_sender_is_known_by_its_accept(void **state)
{
    World *world = *state;

    assert_int_equal(mail_follower_keep("worker", world->follower), G_MAXUINT64);
    restart(world);
    assert_int_equal(mail_follower_keep("milter", world->follower), 0);
    accept_as(world, "4jWn6HWWWz8Y");
    say_queued(world, "4jWn6HWWWz8Y", "");
    say_sent(world, "4jWn6HWWWz8Y", "null");
    follow(world);
    assert_events(world, QUEUED SENT("null"));
    assert_int_equal(mail_follower_keep("milter", world->follower), 1);
}

static void test_a_return_path_from_elsewhere_is_ignored(void **state)
{
    World *world = *state;

    accept_as(world, "4jWn6HRRRz8Y");
    say_queued(world, "4jWn6HRRRz8Y", world->sender);
    say_queued(world, "4jWn6HSSSz8Y", world->sender);
    say_sent(world, "4jWn6HSSSz8Y", "replayed");
    say_sent(world, "4jWn6HRRRz8Y", "own");
    say(world, "postfix/qmgr[9]: 4jWn6HRRRz8Y: removed");
    say_queued(world, "4jWn6HTTTz8Y", world->sender);
    say_sent(world, "4jWn6HTTTz8Y", "replayed later");
    follow(world);
    assert_events(world, QUEUED SENT("own") REMOVED);
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

    append_log(world->log, "nonsense\n");
    follow(world);
    accept_as(world, "4jWn6HYYYz8Y");
    say_queued(world, "4jWn6HYYYz8Y", world->sender);
    g_autofree char *path = below(world, "worker/worker.db");
    run_sql(path,
            "CREATE TRIGGER refuse BEFORE UPDATE ON position BEGIN SELECT RAISE(ABORT, ''); END");
    assert_false(mail_follower_round(world->follower, &lines, &error));
    assert_int_equal(mail_follower_keep("milter", world->follower), 0);
    g_clear_error(&error);
    run_sql(path, "DROP TRIGGER refuse");
    say_sent(world, "4jWn6HYYYz8Y", "ok");
    follow(world);
    g_autofree char *found = events(world);
    assert_non_null(strstr(found, SENT("ok")));
}

static void test_a_requeued_message_keeps_its_id(void **state)
{
    World *world = *state;

    accept_as(world, "4jWn6HFFFz8Y");
    say_queued(world, "4jWn6HFFFz8Y", world->sender);
    say(world, "postfix/pickup[8]: 4jWn6HGGGz8Y: uid=103 from=<%s> orig_id=4jWn6HFFFz8Y",
        world->sender);
    say_sent(world, "4jWn6HGGGz8Y", "again");
    follow(world);
    assert_events(world, QUEUED SENT("again"));
}

static void test_tls_belongs_to_the_next_delivery_of_the_process(void **state)
{
    World *world = *state;

    accept_as(world, "4jWn6HHHHz8Y");
    say_queued(world, "4jWn6HHHHz8Y", world->sender);
    say(world, "postfix/outrider-ip2/smtp[77]: Trusted TLS connection established to "
               "mx.ok.test[198.51.100.9]:25: TLSv1.3 with cipher X (1/1 bits)");
    say_sent(world, "4jWn6HHHHz8Y", "tls");
    say_sent(world, "4jWn6HHHHz8Y", "clear");
    follow(world);
    g_autofree char *found = events(world);
    assert_non_null(strstr(found, "tls 192.0.2.12 TLSv1.3"));
    assert_non_null(strstr(found, "clear 192.0.2.12\n"));
}

static void test_expired_and_bounced_are_hard(void **state)
{
    World *world = *state;

    accept_as(world, "4jWn6HXXXz8Y");
    say_queued(world, "4jWn6HXXXz8Y", world->sender);
    say(world, "postfix/outrider-ip2/smtp[7]: 4jWn6HXXXz8Y: to=<x@ok.test>, relay=none, delay=1, "
               "delays=0/0/0/1, dsn=5.4.4, status=bounced (Host not found)");
    say(world, "postfix/qmgr[9]: 4jWn6HXXXz8Y: from=<%s>, status=expired, returned to sender",
        world->sender);
    follow(world);
    g_autofree char *found = events(world);
    assert_non_null(strstr(found, "HardFail Host not found"));
    assert_non_null(strstr(found, "HardFail expired in Postfix's queue"));
}

static void test_rotation_by_rename_loses_nothing(void **state)
{
    World *world = *state;
    g_autofree char *old = g_strconcat(world->log, ".1", NULL);

    accept_as(world, "4jWn6HJJJz8Y");
    say_queued(world, "4jWn6HJJJz8Y", world->sender);
    follow(world);
    g_rename(world->log, old);
    append_log(old, "Nov 21 08:00:00 host postfix/qmgr[9]: 4jWn6HJJJz8Y: removed\n");
    accept_as(world, "4jWn6HKKKz8Y");
    say_queued(world, "4jWn6HKKKz8Y", world->sender);
    follow(world);
    assert_events(world, QUEUED REMOVED QUEUED);
}

static void test_rotation_while_away_loses_nothing(void **state)
{
    World *world = *state;
    g_autofree char *old = g_strconcat(world->log, "-20261121", NULL);

    accept_as(world, "4jWn6HLLLz8Y");
    say_queued(world, "4jWn6HLLLz8Y", world->sender);
    follow(world);
    g_clear_pointer(&world->follower, mail_follower_stop);
    say_sent(world, "4jWn6HLLLz8Y", "before");
    g_rename(world->log, old);
    say_sent(world, "4jWn6HLLLz8Y", "behind");
    follow(world);
    assert_events(world, QUEUED SENT("before") SENT("behind"));
}

static void test_truncation_starts_anew(void **state)
{
    World *world = *state;

    accept_as(world, "4jWn6HMMMz8Y");
    say_queued(world, "4jWn6HMMMz8Y", world->sender);
    say_sent(world, "4jWn6HMMMz8Y", "one");
    follow(world);
    assert_int_equal(truncate(world->log, 0), 0);
    say_sent(world, "4jWn6HMMMz8Y", "two");
    follow(world);
    assert_events(world, QUEUED SENT("one") SENT("two"));
}

static void test_a_line_in_two_pieces_is_one(void **state)
{
    World *world = *state;

    accept_as(world, "4jWn6HNNNz8Y");
    append_log(world->log, "Nov 21 08:00:00 host postfix/qmgr[9]: 4jWn6HNNNz8Y: from=<");
    follow(world);
    append_log(world->log, world->sender);
    follow(world);
    append_log(world->log, ">, size=1, nrcpt=1 (queue active)\n");
    follow(world);
    assert_events(world, QUEUED);
}

static void test_restarts_repeat_nothing(void **state)
{
    World *world = *state;

    accept_as(world, "4jWn6HZZZz8Y");
    for (guint i = 0; i < 5; i++) {
        g_autofree char *words = g_strdup_printf("n%u", i);
        if (i == 0)
            say_queued(world, "4jWn6HZZZz8Y", world->sender);
        say_sent(world, "4jWn6HZZZz8Y", words);
        follow(world);
        restart(world);
    }
    assert_events(world, QUEUED SENT("n0") SENT("n1") SENT("n2") SENT("n3") SENT("n4"));
}

static void test_a_missing_log_is_said_and_found_later(void **state)
{
    World *world = *state;
    GError *error = NULL;
    guint lines;

    restart(world);
    assert_false(mail_follower_round(world->follower, &lines, &error));
    assert_error_code(error, NOT_FOUND);
    accept_as(world, "4jWn6HPPPz8Y");
    say_queued(world, "4jWn6HPPPz8Y", world->sender);
    follow(world);
    assert_events(world, QUEUED);
}

static void test_overlong_and_binary_lines_are_passed_over(void **state)
{
    World *world = *state;
    g_autofree char *huge = g_strnfill(300000, 'x');

    append_log(world->log, huge);
    append_log(world->log, "\n\xff\xfe\x01 binary\n");
    accept_as(world, "4jWn6HQQQz8Y");
    say_queued(world, "4jWn6HQQQz8Y", world->sender);
    follow(world);
    assert_events(world, QUEUED);
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
    g_autofree char *source = below(world, "export"), *file = below(world, name);
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
    g_autofree char *folder = below(world, "logs"),
                    *source = g_strconcat("journald:", folder, NULL);
    g_autoptr(GString) first = g_string_new(NULL), second = g_string_new(NULL);
    g_autofree char *queued =
        g_strdup_printf("4jWn6HRRRz8Y: from=<%s>, size=1, nrcpt=1 (queue active)", world->sender);

    if (!g_file_test(JOURNAL_REMOTE, G_FILE_TEST_IS_EXECUTABLE))
        skip();
    g_mkdir(folder, 0755);
    accept_as(world, "4jWn6HRRRz8Y");
    export_entry(first, G_GUINT64_CONSTANT(1795250000000000), queued);
    write_journal(world, "logs/one.journal", first);
    make_config(world, source);
    follow(world);
    assert_events(world, QUEUED);
    export_entry(second, G_GUINT64_CONSTANT(1795250001000000),
                 "4jWn6HRRRz8Y: to=<x@ok.test>, relay=mx.ok.test[198.51.100.9]:25, delay=0.06, "
                 "delays=0/0.01/0/0.04, dsn=2.0.0, status=sent (250 2.0.0 journal)");
    write_journal(world, "logs/two.journal", second);
    restart(world);
    follow(world);
    assert_events(world, QUEUED SENT("journal"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

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
