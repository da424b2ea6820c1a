/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/journal/event_json.h"
#include "lib/journal/folder.h"
#include "lib/journal/held.h"
#include "lib/journal/journal.h"
#include "lib/journal/reader.h"
#include "lib/journal/segment.h"
#include "lib/journal/survey.h"
#include "tests/lib/testing.h"

#define PROGRAM    "test"
#define THREADS    8
#define PER_THREAD 200

typedef struct {
    char *spool;
    char *path;
} World;

static int setup(void **state)
{
    World *world = g_new0(World, 1);

    world->spool = g_dir_make_tmp("outrider-journal-XXXXXX", NULL);
    world->path = folder_path(world->spool, PROGRAM);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    World *world = *state;
    g_autofree char *quoted = g_shell_quote(world->spool);
    g_autofree char *command = g_strdup_printf("rm -rf -- %s", quoted);

    g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL);
    g_free(world->spool);
    g_free(world->path);
    g_free(world);
    return 0;
}

static Journal *open_journal(World *world, const JournalOptions *options)
{
    GError *error = NULL;
    Journal *journal = journal_open(world->spool, PROGRAM, options, &error);

    assert_no_error(error);
    return journal;
}

static gboolean append(Journal *journal, const char *json, GError **error)
{
    const JournalEntry entry = {EVENT_MESSAGE_QUEUED, 42, json, -1};
    return journal_append(journal, &entry, 1, error);
}

static void append_numbers(Journal *journal, guint from, guint to)
{
    GError *error = NULL;

    for (guint i = from; i <= to; i++) {
        g_autofree char *json = g_strdup_printf("{\"n\":%u}", i);
        append(journal, json, &error);
        assert_no_error(error);
    }
}

/* Reads everything after a number; checks that numbers follow each other; returns how many. */
static guint read_all(World *world, guint64 after, GPtrArray *json)
{
    GError *error = NULL;
    g_autoptr(JournalReader) reader = journal_reader_open(world->spool, PROGRAM, after, &error);
    JournalRecord record;
    JournalRead result;
    guint n = 0;

    assert_no_error(error);
    while ((result = journal_reader_next(reader, &record, &error)) == JOURNAL_READ_RECORD) {
        n++;
        assert_int_equal(record.seq, after + n);
        assert_int_equal(strlen(record.json), record.length);
        if (json)
            g_ptr_array_add(json, g_strdup(record.json));
    }
    assert_no_error(error);
    assert_int_equal(result, JOURNAL_READ_END);
    return n;
}

static void test_append_is_read_back(void **state)
{
    World *world = *state;
    Journal *journal = open_journal(world, NULL);
    const JournalEntry pair[] = {{EVENT_SUBMISSION_ADMITTED, 1, "{\"a\":1}", -1},
                                 {EVENT_MESSAGE_ACCEPTED, 2, "{\"b\":2}xx", 7}};
    g_autoptr(GPtrArray) json = g_ptr_array_new_with_free_func(g_free);
    GError *error = NULL;

    assert_true(journal_append(journal, pair, 2, &error));
    assert_int_equal(read_all(world, 0, json), 2);
    assert_string_equal(g_ptr_array_index(json, 0), "{\"a\":1}");
    assert_string_equal(g_ptr_array_index(json, 1), "{\"b\":2}");
    assert_int_equal(read_all(world, 1, NULL), 1);
    assert_int_equal(read_all(world, 2, NULL), 0);
    journal_close(journal);
    assert_int_equal(read_all(world, 0, NULL), 2);
}

static void test_open_goes_on_with_the_numbers(void **state)
{
    World *world = *state;

    for (guint round = 0; round < 5; round++) {
        Journal *journal = open_journal(world, NULL);
        append_numbers(journal, round * 10 + 1, round * 10 + 10);
        journal_close(journal);
    }
    assert_int_equal(read_all(world, 0, NULL), 50);
}

static void test_open_refuses_a_second_writer(void **state)
{
    World *world = *state;
    g_autoptr(Journal) journal = open_journal(world, NULL);
    GError *error = NULL;

    assert_null(journal_open(world->spool, PROGRAM, NULL, &error));
    assert_error_code(error, CONFLICT);
}

static gpointer append_from_thread(gpointer data)
{
    guint good = 0;

    for (guint i = 0; i < PER_THREAD; i++)
        good += append(data, "{}", NULL);
    return GUINT_TO_POINTER(good);
}

static void test_append_from_many_threads(void **state)
{
    World *world = *state;
    const JournalOptions small = {.segment_size = 4096};
    g_autoptr(Journal) journal = open_journal(world, &small);
    GThread *threads[THREADS];

    for (guint i = 0; i < THREADS; i++)
        threads[i] = g_thread_new("append", append_from_thread, journal);
    for (guint i = 0; i < THREADS; i++)
        assert_int_equal(GPOINTER_TO_UINT(g_thread_join(threads[i])), PER_THREAD);
    assert_int_equal(read_all(world, 0, NULL), THREADS * PER_THREAD);
}

/* Tells through the pipe each number that append said was durable, until it is killed. */
static void write_until_killed(World *world, int told)
{
    const JournalOptions small = {.segment_size = 2048};
    Journal *journal = journal_open(world->spool, PROGRAM, &small, NULL);

    for (guint i = 0; journal; i++) {
        g_autofree char *json = g_strdup_printf("{\"n\":%u}", i);
        if (!append(journal, json, NULL) || write(told, "x", 1) != 1)
            break;
    }
    _exit(1);
}

static void test_append_survives_kill(void **state)
{
    World *world = *state;
    guint answered = 0;

    for (guint round = 0; round < 10; round++) {
        int pipe_fds[2], status;
        char byte;
        assert_int_equal(pipe(pipe_fds), 0);
        pid_t child = fork();
        if (child == 0) {
            close(pipe_fds[0]);
            write_until_killed(world, pipe_fds[1]);
        }
        close(pipe_fds[1]);
        for (guint i = 0; i < 20 + round && read(pipe_fds[0], &byte, 1) == 1; i++)
            answered++;
        kill(child, SIGKILL);
        while (read(pipe_fds[0], &byte, 1) == 1)
            answered++;
        waitpid(child, &status, 0);
        close(pipe_fds[0]);
        assert_true(WIFSIGNALED(status));
        guint found = read_all(world, 0, NULL);
        assert_true(found >= answered);
    }
    journal_close(open_journal(world, NULL));
    guint found = read_all(world, 0, NULL);
    assert_true(found >= answered && found <= answered + 10);
}

static void damage(World *world, guint64 segment, off_t offset, const char *octets, gsize n,
                   gboolean cut)
{
    g_autofree char *name = folder_segment_path(world->path, segment);
    int fd = open(name, O_RDWR);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, octets, n, offset), (ssize_t)n);
    if (cut)
        assert_int_equal(ftruncate(fd, offset + (off_t)n), 0);
    close(fd);
}

static void set_committed(World *world, guint64 value)
{
    g_autofree char *name = g_build_filename(world->path, "committed", NULL);
    assert_true(g_file_set_contents(name, (const char *)&value, sizeof(value), NULL));
}

static void test_open_cuts_a_torn_tail(void **state)
{
    World *world = *state;
    g_autoptr(GByteArray) record = g_byte_array_new();
    const JournalEntry entry = {EVENT_MESSAGE_QUEUED, 1, "{\"torn\":true}", -1};

    segment_append(record, &entry);
    segment_number(record, 4);
    journal_close(open_journal(world, NULL));
    for (guint length = 1; length < record->len; length++) {
        teardown(state);
        setup(state);
        world = *state;
        Journal *journal = open_journal(world, NULL);
        append_numbers(journal, 1, 3);
        journal_close(journal);
        GStatBuf st;
        g_autofree char *name = folder_segment_path(world->path, 1);
        assert_int_equal(g_stat(name, &st), 0);
        damage(world, 1, st.st_size, (const char *)record->data, length, TRUE);
        journal = open_journal(world, NULL);
        append_numbers(journal, 4, 5);
        journal_close(journal);
        assert_int_equal(read_all(world, 0, NULL), 5);
    }
}

static void test_open_takes_a_whole_tail_that_was_not_said(void **state)
{
    World *world = *state;
    Journal *journal = open_journal(world, NULL);

    append_numbers(journal, 1, 3);
    journal_close(journal);
    set_committed(world, 1); /* as after a power failure */
    assert_int_equal(read_all(world, 0, NULL), 1);
    journal_close(open_journal(world, NULL));
    assert_int_equal(read_all(world, 0, NULL), 3);
}

static void test_next_reports_damage_and_skips(void **state)
{
    World *world = *state;
    const JournalOptions small = {.segment_size = 200};
    Journal *journal = open_journal(world, &small);
    GError *error = NULL;
    JournalRecord record;
    guint n = 0;

    append_numbers(journal, 1, 20);
    journal_close(journal);
    damage(world, 1, 30, "?", 1, FALSE);
    g_autoptr(JournalReader) reader = journal_reader_open(world->spool, PROGRAM, 0, &error);
    assert_no_error(error);
    assert_int_equal(journal_reader_next(reader, &record, &error), JOURNAL_READ_FAILED);
    assert_error_code(error, CORRUPT);
    assert_true(journal_reader_skip(reader) > 0);
    while (journal_reader_next(reader, &record, &error) == JOURNAL_READ_RECORD)
        n++;
    assert_no_error(error);
    assert_true(n > 0 && n < 20);
    assert_int_equal(record.seq, 20);
}

static void test_reader_follows_the_writer(void **state)
{
    World *world = *state;
    const JournalOptions small = {.segment_size = 300};
    g_autoptr(Journal) journal = open_journal(world, &small);
    GError *error = NULL;
    g_autoptr(JournalReader) reader = journal_reader_open(world->spool, PROGRAM, 0, &error);
    JournalRecord record;

    assert_no_error(error);
    assert_int_equal(journal_reader_next(reader, &record, &error), JOURNAL_READ_END);
    for (guint i = 1; i <= 200; i++) {
        append_numbers(journal, i, i);
        assert_int_equal(journal_reader_next(reader, &record, &error), JOURNAL_READ_RECORD);
        assert_int_equal(record.seq, i);
        assert_int_equal(record.at_us, 42);
        assert_int_equal(journal_reader_next(reader, &record, &error), JOURNAL_READ_END);
    }
}

static void test_drop_keeps_what_is_not_applied(void **state)
{
    World *world = *state;
    const JournalOptions small = {.segment_size = 200};
    g_autoptr(Journal) journal = open_journal(world, &small);
    GError *error = NULL;

    append_numbers(journal, 1, 50);
    g_autoptr(JournalReader) reader = journal_reader_open(world->spool, PROGRAM, 0, &error);
    assert_int_equal(journal_reader_drop(reader, 0), 0);
    guint dropped = journal_reader_drop(reader, 20);
    assert_true(dropped > 0);
    assert_int_equal(read_all(world, 20, NULL), 30);
    assert_true(journal_reader_drop(reader, 50) > 0);
    g_autoptr(GArray) left = folder_segments(world->path, &error);
    assert_int_equal(left->len, 1);
    append_numbers(journal, 51, 60);
    assert_int_equal(read_all(world, 50, NULL), 10);
}

static void test_post_is_committed_soon(void **state)
{
    World *world = *state;
    Journal *journal = open_journal(world, NULL);
    const JournalEntry entry = {EVENT_CREDENTIAL_USED, 1, "{}", -1};
    GError *error = NULL;
    guint found = 0;

    assert_true(journal_post(journal, &entry, 1, &error));
    for (guint i = 0; i < 1000 && found == 0; i++) {
        g_usleep(10000);
        found = read_all(world, 0, NULL);
    }
    assert_int_equal(found, 1);
    assert_true(journal_post(journal, &entry, 1, &error));
    journal_close(journal);
    assert_int_equal(read_all(world, 0, NULL), 2);
}

static void test_append_fails_on_a_full_disk_and_resumes(void **state)
{
    World *world = *state;
    const JournalOptions whole = {.segment_size = 1 << 20};
    g_autoptr(Journal) journal = open_journal(world, &whole);
    struct rlimit before, tight;
    GError *error = NULL;
    g_autofree char *big = g_strnfill(100000, 'x');

    signal(SIGXFSZ, SIG_IGN);
    append_numbers(journal, 1, 3);
    getrlimit(RLIMIT_FSIZE, &before);
    tight = before;
    tight.rlim_cur = 50000;
    setrlimit(RLIMIT_FSIZE, &tight);
    assert_false(append(journal, big, &error));
    assert_int_equal(error_class(error), ERROR_CLASS_TEMPORARY);
    g_clear_error(&error);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(read_all(world, 0, NULL), 3);
    append_numbers(journal, 4, 6);
    assert_int_equal(read_all(world, 0, NULL), 6);
}

static void test_lost_counts_what_was_posted_in_vain(void **state)
{
    World *world = *state;
    const JournalOptions whole = {.segment_size = 1 << 20};
    g_autoptr(Journal) journal = open_journal(world, &whole);
    g_autofree char *big = g_strnfill(100000, 'x');
    const JournalEntry entries[] = {{EVENT_CLICK, 1, "{}", -1}, {EVENT_CLICK, 1, big, -1}};
    struct rlimit before, tight;

    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    tight = before;
    tight.rlim_cur = 50000;
    setrlimit(RLIMIT_FSIZE, &tight);
    assert_true(journal_post(journal, entries, 2, NULL));
    assert_true(journal_post(journal, entries, 1, NULL));
    for (guint i = 0; i < 1000 && journal_lost(journal) < 3; i++)
        g_usleep(10000);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(journal_lost(journal), 3);
    append_numbers(journal, 1, 1);
    assert_int_equal(journal_lost(journal), 3);
    assert_int_equal(read_all(world, 0, NULL), 1);
}

static void test_append_refuses_when_space_is_short(void **state)
{
    World *world = *state;
    const JournalOptions greedy = {.min_free = G_MAXUINT64 / 2};
    g_autoptr(Journal) journal = open_journal(world, &greedy);
    GError *error = NULL;

    assert_false(append(journal, "{}", &error));
    assert_error_code(error, NO_SPACE);
    assert_false(journal_check_space(journal, &error));
    assert_error_code(error, NO_SPACE);
    assert_int_equal(read_all(world, 0, NULL), 0);
}

/* What is preallocated must not itself be what makes space short. */
static void test_open_preallocates_with_room_only(void **state)
{
    World *world = *state;
    JournalOptions options = {.segment_size = 64 << 20};
    g_autofree char *segment = folder_segment_path(world->path, 1);
    struct statvfs fs;
    struct stat st;

    for (guint tight = 0; tight < 2; tight++) {
        assert_int_equal(statvfs(world->spool, &fs), 0);
        if (tight)
            options.min_free = (guint64)fs.f_bavail * fs.f_frsize - 2 * options.segment_size;
        journal_close(open_journal(world, &options));
        Journal *journal = open_journal(world, &options);
        assert_int_equal(stat(segment, &st), 0);
        assert_int_equal(st.st_size, tight ? 0 : options.segment_size);
        journal_close(journal);
    }
}

static void test_append_refuses_an_overlong_event(void **state)
{
    World *world = *state;
    g_autoptr(Journal) journal = open_journal(world, NULL);
    g_autofree char *big = g_strnfill(JOURNAL_JSON_MAX + 1, 'x');
    GError *error = NULL;

    assert_false(append(journal, big, &error));
    assert_error_code(error, TOO_LARGE);
    big[JOURNAL_JSON_MAX] = '\0';
    assert_true(append(journal, big, &error));
    assert_int_equal(read_all(world, 0, NULL), 1);
}

/* Segments of some 10 records, so that a position is in the first, in the middle, in the open one. */
static void test_survey_tells_what_is_left(void **state)
{
    World *world = *state;
    const JournalOptions small = {.segment_size = 16 * 1024};
    g_autoptr(Journal) journal = open_journal(world, &small);
    g_autofree char *filler = g_strnfill(1500, 'x');
    GError *error = NULL;
    JournalSurvey survey;
    JournalBacklog backlog;

    assert_true(journal_survey(world->spool, PROGRAM, &survey, &error));
    assert_int_equal(survey.segments, 1);
    assert_int_equal(survey.committed, 0);
    assert_int_equal(survey.first, 1);
    assert_int_equal(survey.first_at_us, 0);
    for (guint i = 0; i < 35; i++)
        assert_true(append(journal, filler, &error));
    assert_true(journal_survey(world->spool, PROGRAM, &survey, &error));
    assert_int_equal(survey.segments, 4);
    assert_int_equal(survey.committed, 35);
    assert_int_equal(survey.first, 1);
    assert_int_equal(survey.first_at_us, 42);
    assert_true(survey.disk >= 35 * 1500);
    for (guint applied = 0; applied <= 35; applied++) {
        assert_true(journal_backlog(world->spool, PROGRAM, applied, &backlog, &error));
        assert_int_equal(backlog.records, 35 - applied);
        assert_int_equal(backlog.oldest_at_us, applied < 35 ? 42 : 0);
        /* What is left, to a block of the open segment. */
        assert_in_range(backlog.octets, (35 - applied) * 1500, (35 - applied) * 1526 + 4096);
    }
    assert_false(journal_survey(world->spool, "none", &survey, &error));
    assert_error_code(error, NOT_FOUND);
    assert_false(journal_backlog(world->spool, "none", 0, &backlog, &error));
    assert_error_code(error, NOT_FOUND);
}

static void test_epoch_is_kept_and_programs_listed(void **state)
{
    World *world = *state;
    GError *error = NULL;

    journal_close(open_journal(world, NULL));
    g_autofree char *first = journal_epoch(world->spool, PROGRAM, &error);
    assert_no_error(error);
    journal_close(open_journal(world, NULL));
    g_autofree char *second = journal_epoch(world->spool, PROGRAM, &error);
    assert_string_equal(first, second);
    g_auto(GStrv) programs = journal_programs(world->spool, &error);
    assert_int_equal(g_strv_length(programs), 1);
    assert_string_equal(programs[0], PROGRAM);
    assert_null(journal_epoch(world->spool, "other", &error));
    assert_error_code(error, NOT_FOUND);
}

static void test_segment_read_refuses_every_bit_flip(void **state)
{
    (void)state;
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    const JournalEntry entry = {EVENT_MESSAGE_QUEUED, 7, "{\"x\":1}", -1};
    JournalRecord record;
    gsize used;

    segment_append(bytes, &entry);
    assert_int_equal(segment_number(bytes, 9), 1);
    assert_int_equal(segment_read(bytes->data, bytes->len, 9, &record, &used), SEGMENT_RECORD);
    assert_int_equal(used, bytes->len);
    assert_int_equal(segment_read(bytes->data, bytes->len, 8, &record, &used), SEGMENT_DAMAGED);
    for (guint bit = 0; bit < bytes->len * 8; bit++) {
        bytes->data[bit / 8] ^= (guint8)(1 << bit % 8);
        assert_int_not_equal(segment_read(bytes->data, bytes->len, 9, &record, &used),
                             SEGMENT_RECORD);
        bytes->data[bit / 8] ^= (guint8)(1 << bit % 8);
    }
    for (guint length = 0; length < bytes->len; length++)
        assert_int_equal(segment_read(bytes->data, length, 9, &record, &used), SEGMENT_SHORT);
}

/* The check value of the Castagnoli polynomial (RFC 3720, B.4, and every catalogue of CRCs). */
static void test_crc32c_known_values(void **state)
{
    static const guint8 zeros[32];

    (void)state;
    assert_int_equal(segment_crc32c((const guint8 *)"123456789", 9), 0xe3069283u);
    assert_int_equal(segment_crc32c(zeros, sizeof(zeros)), 0x8a9136aau);
}

static void test_event_name_unknown_is_null(void **state)
{
    (void)state;
    assert_string_equal(event_name(EVENT_MESSAGE_ACCEPTED), "message.accepted");
    assert_null(event_name(0));
    assert_null(event_name(65535));
}

static void test_held_json_of_each_case(void **state)
{
    (void)state;
    g_autofree char *longest = g_strnfill(EVENT_JSON_TEXT_MAX, 'x');
    g_autofree char *too_long = g_strconcat(longest, "y", NULL);
    const struct {
        guint32 server;
        const char *reason, *told;
    } cases[] = {
        {3, "server is suspended",
         "\"server\":3,\"id\":5,\"rule\":\"limit\",\"reason\":\"server is suspended\""},
        {0, "4/day", "\"id\":5,\"rule\":\"limit\",\"reason\":\"4/day\""},
        {0, "\"\\\n", "\"id\":5,\"rule\":\"limit\",\"reason\":\"\\\"\\\\\\n\""},
        {0, "not \xff UTF-8", "\"id\":5,\"rule\":\"limit\",\"reason\":\"not \xef\xbf\xbd UTF-8\""},
        {0, too_long, NULL},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const JournalHeld held = {2,       1000,           9000000000000, 5, cases[i].server,
                                  "limit", cases[i].reason};
        g_autofree char *json = journal_held_json(&held);
        g_autofree char *told =
            cases[i].told
                ? g_strdup(cases[i].told)
                : g_strdup_printf("\"id\":5,\"rule\":\"limit\",\"reason\":\"%s\"", longest);
        g_autofree char *whole =
            g_strdup_printf("{\"v\":1,\"node\":2,\"at\":1000,%s,\"expires\":9000000000000}", told);
        assert_string_equal(json, whole);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_append_is_read_back),
        CASE(test_open_goes_on_with_the_numbers),
        CASE(test_open_refuses_a_second_writer),
        CASE(test_append_from_many_threads),
        CASE(test_append_survives_kill),
        CASE(test_open_cuts_a_torn_tail),
        CASE(test_open_takes_a_whole_tail_that_was_not_said),
        CASE(test_next_reports_damage_and_skips),
        CASE(test_reader_follows_the_writer),
        CASE(test_drop_keeps_what_is_not_applied),
        CASE(test_post_is_committed_soon),
        CASE(test_append_fails_on_a_full_disk_and_resumes),
        CASE(test_lost_counts_what_was_posted_in_vain),
        CASE(test_append_refuses_when_space_is_short),
        CASE(test_open_preallocates_with_room_only),
        CASE(test_append_refuses_an_overlong_event),
        CASE(test_survey_tells_what_is_left),
        CASE(test_epoch_is_kept_and_programs_listed),
        cmocka_unit_test(test_segment_read_refuses_every_bit_flip),
        cmocka_unit_test(test_crc32c_known_values),
        cmocka_unit_test(test_event_name_unknown_is_null),
        cmocka_unit_test(test_held_json_of_each_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
