/* SPDX-License-Identifier: MIT */
/* Journals into a real MariaDB: exactly once, over restarts of either side. */
#include <stdio.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/journal/journal.h"
#include "lib/journal/survey.h"
#include "tests/lib/database_fixture.h"
#include "tests/lib/testing.h"
#include "worker/journal_applier.h"

#define DATABASE "journals"
#define MANY     5000

static MariadbFixture *server;
static Sql *sql;
static char *spool;

static void append(Journal *journal, EventType type, guint first, guint n)
{
    g_autoptr(GError) error = NULL;

    for (guint i = first; i < first + n; i += 100) {
        JournalEntry entries[100];
        for (guint k = 0; k < 100; k++)
            entries[k] = (JournalEntry){
                .type = type,
                .at_us = g_get_real_time(),
                .json = g_strdup_printf(
                    "{\"id\":%u,\"server\":1,\"at\":1,\"attempt\":%u%s}", i + k + 1, i + k + 1,
                    type == EVENT_DELIVERY_ATTEMPT ? ",\"status\":\"Sent\"" : ""),
                .length = -1};
        gboolean done = journal_append(journal, entries, 100, &error);
        for (guint k = 0; k < 100; k++)
            g_free((gpointer)(guintptr)entries[k].json);
        assert_no_error(error);
        assert_true(done);
    }
}

static void assert_found(const char *query, const char *wanted)
{
    g_autofree char *got = mariadb_fixture_run(server, DATABASE, query);

    assert_string_equal(g_strchomp(got), wanted);
}

static void test_journal_applier_round_exactly_once(void **state)
{
    const JournalOptions options = {.segment_size = 64 * 1024};
    g_autoptr(GError) error = NULL;
    g_autoptr(Journal) journal = journal_open(spool, "outrider-worker", &options, &error);
    guint64 applied = 0;

    (void)state;
    assert_no_error(error);
    append(journal, EVENT_DELIVERY_ATTEMPT, 0, MANY);
    g_autoptr(JournalApplier) first = journal_applier_new(spool, 1, NULL, NULL);
    gint64 start = g_get_monotonic_time();
    assert_true(journal_applier_round(first, sql, &applied, &error));
    gint64 took = MAX(g_get_monotonic_time() - start, 1);
    print_message("%" G_GUINT64_FORMAT " events/s\n",
                  (guint64)MANY * G_USEC_PER_SEC / (guint64)took);
    assert_int_equal(applied, MANY);
    assert_found("SELECT COUNT(*) FROM delivery", "5000");
    assert_found("SELECT COUNT(*) FROM message WHERE status = 'Sent'", "5000");
    /* Another applier, as after a restart, finds nothing left to do. */
    g_autoptr(JournalApplier) second = journal_applier_new(spool, 1, NULL, NULL);
    assert_true(journal_applier_round(second, sql, &applied, &error));
    assert_int_equal(applied, 0);
    append(journal, EVENT_DELIVERY_ATTEMPT, MANY, 100);
    assert_true(journal_applier_round(second, sql, &applied, &error));
    assert_int_equal(applied, 100);
}

static void append_one(Journal *journal, EventType type, const char *json)
{
    const JournalEntry entry = {.type = type, .at_us = 7, .json = json, .length = -1};
    g_autoptr(GError) error = NULL;

    if (!journal_append(journal, &entry, 1, &error))
        fail_msg("%s", error->message);
}

/* One that is no JSON, one that only the server refuses: kept with their bytes; the rest goes on. */
static void test_journal_applier_round_sets_poison_aside(void **state)
{
    static const char refused[] =
        "{\"id\":20001,\"attempt\":1,\"status\":\"Sent\",\"server\":99999999999}";
    g_autoptr(GError) error = NULL;
    g_autoptr(Journal) journal = journal_open(spool, "outrider-poison", NULL, &error);
    g_autoptr(JournalApplier) applier = journal_applier_new(spool, 1, NULL, NULL);
    guint64 applied = 0;

    (void)state;
    assert_no_error(error);
    append_one(journal, EVENT_MESSAGE_QUEUED, "{\"id\":20000,\"at\":1}");
    append_one(journal, EVENT_DELIVERY_ATTEMPT, refused);
    append_one(journal, EVENT_MESSAGE_QUEUED, "{\"id\"");
    append_one(journal, EVENT_MESSAGE_QUEUED, "{\"id\":20002,\"at\":1}");
    assert_true(journal_applier_round(applier, sql, &applied, &error));
    assert_int_equal(applied, 4);
    append_one(journal, EVENT_MESSAGE_QUEUED, "{\"id\":20003,\"at\":1}");
    assert_true(journal_applier_round(applier, sql, &applied, &error));
    assert_int_equal(applied, 1);
    assert_found("SELECT id FROM message WHERE id BETWEEN 20000 AND 20003", "20000\n20002\n20003");
    assert_found("SELECT COUNT(*) FROM delivery WHERE message_id = 20001", "0");
    assert_found("SELECT CONCAT_WS(' ', type, at, bytes) FROM event_rejected WHERE program = "
                 "'outrider-poison' ORDER BY seq",
                 "6 7 {\"id\":20001,\"attempt\":1,\"status\":\"Sent\",\"server\":99999999999}\n"
                 "5 7 {\"id\"");
    assert_found("SELECT p.seq - MAX(e.seq) FROM journal_position p JOIN event_rejected e USING "
                 "(node, program, epoch) WHERE p.program = 'outrider-poison'",
                 "2");
}

static void test_journal_applier_round_database_away(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Journal) journal = journal_open(spool, "outrider-milter", NULL, &error);
    g_autoptr(JournalApplier) applier = journal_applier_new(spool, 1, NULL, NULL);
    guint64 applied = 99;

    (void)state;
    assert_no_error(error);
    append(journal, EVENT_MESSAGE_QUEUED, 10000, 500);
    mariadb_fixture_kill(server);
    assert_false(journal_applier_round(applier, sql, &applied, &error));
    assert_int_equal(error_class(error), ERROR_CLASS_TEMPORARY);
    assert_int_equal(applied, 99);
    g_clear_error(&error);
    mariadb_fixture_restart(server);
    assert_true(journal_applier_round(applier, sql, &applied, &error));
    assert_int_equal(applied, 500);
    assert_found("SELECT COUNT(*) FROM message WHERE status = 'Pending' AND id < 20000", "500");
}

static guint64 keep_up_to(const char *program, gpointer data)
{
    (void)program;
    return *(const guint64 *)data;
}

/* A segment that is closed and applied goes when the other reader has come on, though nothing is new. */
static void test_journal_applier_round_drops_when_idle(void **state)
{
    guint64 keep = 0, applied = 0;
    GError *error = NULL;
    JournalSurvey survey;
    g_autoptr(JournalApplier) applier = journal_applier_new(spool, 1, keep_up_to, &keep);

    (void)state;
    for (guint i = 0; i < 2; i++) {
        Journal *journal = journal_open(spool, "outrider-policyd", NULL, &error);
        assert_no_error(error);
        if (i == 0)
            append(journal, EVENT_DELIVERY_ATTEMPT, 0, 100);
        journal_close(journal);
    }
    for (guint round = 0; round < 3; round++) {
        assert_true(journal_applier_round(applier, sql, &applied, &error));
        assert_no_error(error);
        assert_true(journal_survey(spool, "outrider-policyd", &survey, &error));
        assert_int_equal(survey.segments, round < 2 ? 2 : 1);
        keep = round == 0 ? survey.committed - 1 : survey.committed;
    }
}

static void test_journal_applier_round_no_spool(void **state)
{
    g_autoptr(JournalApplier) applier = journal_applier_new("/nonexistent", 1, NULL, NULL);
    g_autoptr(GError) error = NULL;
    guint64 applied = 0;

    (void)state;
    journal_applier_round(applier, sql, &applied, &error);
    assert_int_equal(applied, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_journal_applier_round_no_spool),
        cmocka_unit_test(test_journal_applier_round_exactly_once),
        cmocka_unit_test(test_journal_applier_round_sets_poison_aside),
        cmocka_unit_test(test_journal_applier_round_drops_when_idle),
        cmocka_unit_test(test_journal_applier_round_database_away),
    };

    spool = g_dir_make_tmp("outrider-spool-XXXXXX", NULL);
    server = mariadb_fixture_start();
    sql = database_fixture_open(server, DATABASE);
    int status = cmocka_run_group_tests(tests, NULL, NULL);
    sql_close(sql);
    mariadb_fixture_stop(server);
    char *argv[] = {(char[]){"rm"}, (char[]){"-rf"}, (char[]){"--"}, spool, NULL};
    g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL);
    g_free(spool);
    return status;
}
