/* SPDX-License-Identifier: MIT */
/* Replicas as files: missing, unfilled, replaced, damaged, unreadable, growing; and how they are made. */
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/edge/edge_pool.h"
#include "lib/edge/edge_schema.h"
#include "tests/lib/edge_fixture.h"
#include "tests/lib/testing.h"

#define KEY           "abcdefghijklmnopqrstuvwx"
#define READER        65534 /* nobody */
#define EXIT_NOT_ROOT 77
#define NOW           1795248000

static const EdgeFixture fixture = {.key = KEY};

static int setup(void **state)
{
    edge_world_start(state);
    edge_fixture_fill(((EdgeWorld *)*state)->dir, &fixture);
    return 0;
}

static void assert_found(Edge *edge)
{
    GError *error = NULL;
    g_autoptr(EdgeCredential) credential = edge_fixture_by_key(edge, KEY, NOW, &error);

    assert_no_error(error);
    assert_int_equal(credential->id, EDGE_FIXTURE_CREDENTIAL);
}

static void assert_unavailable(Edge *edge)
{
    GError *error = NULL;

    assert_null(edge_fixture_by_key(edge, KEY, NOW, &error));
    assert_error_code(error, UNAVAILABLE);
}

static void test_edge_missing_then_appears(void **state)
{
    EdgeWorld *s = *state;
    GError *error = NULL;

    assert_unavailable(s->edge);
    assert_null(edge_lanes(s->edge, &error));
    assert_non_null(strstr(error->message, "outrider-worker"));
    assert_error_code(error, UNAVAILABLE);
    assert_null(edge_sign_keys(s->edge, 0, &error));
    assert_error_code(error, UNAVAILABLE);
    assert_null(edge_cram_states(s->edge, "acme", "main", NOW, &error));
    assert_error_code(error, UNAVAILABLE);
    assert_null(edge_domain_for(s->edge, 1, 1, "acme.test", &error));
    assert_error_code(error, UNAVAILABLE);
    edge_fixture_fill(s->dir, &fixture);
    assert_found(s->edge);
}

static void test_edge_unfilled_is_unavailable(void **state)
{
    EdgeWorld *s = *state;
    EdgeFixture unfilled = {.key = KEY, .unfilled = TRUE};

    edge_fixture_fill(s->dir, &unfilled);
    assert_unavailable(s->edge);
}

/* What is gone is noticed at the next look. */
static void remove_and_wait(const EdgeWorld *s)
{
    edge_fixture_remove(s->dir);
    g_usleep(EDGE_POOL_LOOK_MS * G_TIME_SPAN_MILLISECOND);
}

static void test_edge_replaced_file_is_reopened(void **state)
{
    EdgeWorld *s = *state;
    GError *error = NULL;
    EdgeFixture other = {.key = "another key of this server"};

    assert_found(s->edge);
    remove_and_wait(s);
    assert_unavailable(s->edge);
    g_mkdir(s->dir, 0755);
    edge_fixture_fill(s->dir, &other);
    assert_null(edge_fixture_by_key(s->edge, KEY, NOW, &error));
    assert_error_code(error, NOT_FOUND);
    g_autoptr(EdgeCredential) credential = edge_fixture_by_key(s->edge, other.key, NOW, &error);
    assert_no_error(error);
}

static void test_edge_reads_while_writer_writes(void **state)
{
    EdgeWorld *s = *state;
    sqlite3 *db = edge_schema_open(s->dir, EDGE_FILE_DIRECTORY, (gid_t)-1, NULL);

    assert_true(edge_schema_exec(db, "BEGIN IMMEDIATE; DELETE FROM credential", NULL));
    assert_found(s->edge);
    assert_true(edge_schema_exec(db, "ROLLBACK", NULL));
    sqlite3_close(db);
    assert_found(s->edge);
}

/* Runs check in a child that may not write the files; 0 passed. */
static int as_reader(EdgeWorld *s, int (*check)(Edge *edge))
{
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        if (setresgid(READER, READER, READER) < 0 || setresuid(READER, READER, READER) < 0)
            _exit(EXIT_NOT_ROOT);
        Edge *edge = edge_open(s->dir);
        _exit(check(edge));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int reader_finds(Edge *edge)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(EdgeCredential) credential = edge_fixture_by_key(edge, KEY, NOW, &error);

    if (error)
        g_printerr("%s\n", error->message);
    return credential ? 0 : error && error->code == OUTRIDER_ERROR_UNAVAILABLE ? 1 : 2;
}

static void share(EdgeWorld *s)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};

    assert_int_equal(g_chmod(s->dir, 0755), 0);
    for (guint i = 0; i < EDGE_FILE_COUNT; i++)
        for (guint j = 0; j < G_N_ELEMENTS(suffixes); j++) {
            g_autofree char *path =
                g_strconcat(s->dir, "/", edge_file_name((EdgeFile)i), suffixes[j], NULL);
            g_chmod(path, 0644);
        }
}

static void each_side_file(EdgeWorld *s, const char *suffix, const char *content)
{
    for (guint i = 0; i < EDGE_FILE_COUNT; i++) {
        g_autofree char *path = g_strconcat(s->dir, "/", edge_file_name((EdgeFile)i), suffix, NULL);
        if (!content)
            assert_int_equal(g_unlink(path), 0);
        else
            assert_true(g_file_set_contents(path, content, -1, NULL));
    }
}

/* Moves what -wal holds into the files, as a checkpoint of the worker does. */
static void checkpoint(EdgeWorld *s)
{
    for (guint i = 0; i < EDGE_FILE_COUNT; i++)
        edge_fixture_exec(s->dir, (EdgeFile)i, "PRAGMA wal_checkpoint(TRUNCATE)");
}

static void test_edge_damaged_is_unavailable(void **state)
{
    EdgeWorld *s = *state;

    g_autofree char *path = g_build_filename(s->dir, edge_file_name(EDGE_FILE_AUTH), NULL);
    checkpoint(s);
    g_unlink(path);
    assert_true(g_file_set_contents(path, "this is no replica", -1, NULL));
    assert_unavailable(s->edge);
}

static void test_edge_other_user_reads(void **state)
{
    EdgeWorld *s = *state;

    if (geteuid() != 0)
        skip();
    share(s);
    assert_int_equal(as_reader(s, reader_finds), 0); /* worker away */
    sqlite3 *db = edge_schema_open(s->dir, EDGE_FILE_DIRECTORY, (gid_t)-1, NULL);
    assert_true(edge_schema_exec(db, "UPDATE credential SET hold = 1", NULL));
    share(s);
    assert_int_equal(as_reader(s, reader_finds), 0); /* worker there */
    sqlite3_close(db);
    each_side_file(s, "-shm", "");
    share(s);
    assert_int_equal(as_reader(s, reader_finds), 0); /* -shm empty, as after a crash */
    each_side_file(s, "-shm", "rubbish that no index starts with, left by nobody knows whom");
    share(s);
    assert_int_equal(as_reader(s, reader_finds), 0); /* -shm stale */
}

static void test_edge_other_user_reads_without_index(void **state)
{
    EdgeWorld *s = *state;

    if (geteuid() != 0)
        skip();
    each_side_file(s, "-shm", NULL);
    share(s);
    assert_int_equal(as_reader(s, reader_finds), 1); /* -wal holds what the file does not */
    checkpoint(s);
    each_side_file(s, "-shm", NULL);
    share(s);
    assert_int_equal(as_reader(s, reader_finds), 0);
    each_side_file(s, "-wal", NULL);
    assert_int_equal(as_reader(s, reader_finds), 0);
    assert_found(s->edge); /* root leaves no files behind */
    g_autofree char *shm = g_strconcat(s->dir, "/", edge_file_name(EDGE_FILE_AUTH), "-shm", NULL);
    assert_false(g_file_test(shm, G_FILE_TEST_EXISTS));
}

static void test_edge_without_index_sees_writer_come(void **state)
{
    EdgeWorld *s = *state;
    GError *error = NULL;

    checkpoint(s);
    each_side_file(s, "-shm", NULL);
    assert_found(s->edge); /* opened as immutable */
    edge_fixture_exec(s->dir, EDGE_FILE_DIRECTORY, "DELETE FROM credential");
    assert_null(edge_fixture_by_key(s->edge, KEY, NOW, &error));
    assert_error_code(error, NOT_FOUND);
    if (geteuid() == 0) {
        share(s);
        assert_int_equal(as_reader(s, reader_finds), 2);
    }
}

static void test_edge_unreadable_is_unavailable(void **state)
{
    EdgeWorld *s = *state;

    if (geteuid() != 0)
        skip();
    share(s);
    g_autofree char *path = g_build_filename(s->dir, edge_file_name(EDGE_FILE_AUTH), NULL);
    assert_int_equal(g_chmod(path, 0600), 0);
    assert_int_equal(as_reader(s, reader_finds), 1);
    assert_int_equal(g_chmod(s->dir, 0700), 0);
    assert_int_equal(as_reader(s, reader_finds), 1);
}

static gpointer read_often(gpointer data)
{
    for (guint i = 0; i < 500; i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(EdgeCredential) credential = edge_fixture_by_key(data, KEY, NOW, &error);
        if (!credential) {
            print_error("%s\n", error->message);
            return GINT_TO_POINTER(1);
        }
    }
    return NULL;
}

static void test_edge_many_threads(void **state)
{
    EdgeWorld *s = *state;
    GThread *threads[24];

    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("reader", read_often, s->edge);
    for (guint i = 0; i < 50; i++)
        edge_fixture_exec(s->dir, EDGE_FILE_DIRECTORY, "UPDATE credential SET hold = NOT hold");
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        assert_null(g_thread_join(threads[i]));
}

static void test_edge_schema_modes_and_state(void **state)
{
    EdgeWorld *s = *state;
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    gint64 epoch = -1, revision = -1;
    GError *error = NULL;
    sqlite3 *db = edge_schema_open(s->dir, EDGE_FILE_AUTH, getgid(), &error);

    assert_no_error(error);
    assert_false(edge_schema_state(db, &epoch, &revision, &error));
    assert_no_error(error);
    assert_int_equal(epoch, -1);
    assert_true(edge_schema_set_state(db, 9007199254740991, 5, &error));
    assert_true(edge_schema_set_state(db, 9007199254740991, 6, &error));
    assert_true(edge_schema_state(db, &epoch, &revision, &error));
    assert_int_equal(epoch, 9007199254740991);
    assert_int_equal(revision, 6);
    assert_true(edge_schema_empty(db, EDGE_FILE_AUTH, &error));
    assert_false(edge_schema_state(db, &epoch, &revision, &error));
    sqlite3_close(db);
    for (guint i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        g_autofree char *path =
            g_strconcat(s->dir, "/", edge_file_name(EDGE_FILE_AUTH), suffixes[i], NULL);
        struct stat st;
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0640);
    }
}

static void test_edge_state_is_what_was_filled(void **state)
{
    EdgeWorld *s = *state;
    gint64 epoch = -1, revision = -1;
    GError *error = NULL;

    assert_true(edge_state(s->edge, EDGE_FILE_DIRECTORY, &epoch, &revision, &error));
    assert_no_error(error);
    sqlite3 *db = edge_schema_open(s->dir, EDGE_FILE_SIGN, (gid_t)-1, &error);
    assert_no_error(error);
    assert_true(edge_schema_set_state(db, 7, 8, &error));
    assert_true(edge_state(s->edge, EDGE_FILE_SIGN, &epoch, &revision, &error));
    assert_int_equal(epoch, 7);
    assert_int_equal(revision, 8);
    sqlite3_close(db);
    remove_and_wait(s);
    assert_false(edge_state(s->edge, EDGE_FILE_SIGN, &epoch, &revision, &error));
    assert_error_code(error, UNAVAILABLE);
    assert_int_equal(revision, 8);
}

/* As a rebuild does: one transaction that is far larger than -wal may stay. */
static void write_much(sqlite3 *db, guint rows)
{
    g_autofree char *sql = g_strdup_printf(
        "BEGIN; DELETE FROM credential_secret WHERE id > 1000; WITH RECURSIVE n (i) AS (SELECT "
        "1001 "
        "UNION ALL SELECT i + 1 FROM n WHERE i < %u) INSERT INTO credential_secret (id, key_hash) "
        "SELECT i, randomblob(32) FROM n; COMMIT",
        rows + 1000);
    GError *error = NULL;

    assert_true(edge_schema_exec(db, sql, &error));
    assert_no_error(error);
}

static gint64 wal_size(const EdgeWorld *s, EdgeFile file)
{
    g_autofree char *path = g_strconcat(s->dir, "/", edge_file_name(file), "-wal", NULL);
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return st.st_size;
}

static void test_edge_schema_trim_empties_a_long_wal(void **state)
{
    EdgeWorld *s = *state;
    GError *error = NULL;
    sqlite3 *reader = NULL;
    sqlite3_stmt *reading = NULL;
    g_autofree char *path = g_strconcat(s->dir, "/", edge_file_name(EDGE_FILE_AUTH), NULL);
    sqlite3 *db = edge_schema_open(s->dir, EDGE_FILE_AUTH, (gid_t)-1, &error);

    assert_no_error(error);
    write_much(db, 100);
    gint64 short_wal = wal_size(s, EDGE_FILE_AUTH);
    assert_true(edge_schema_trim(db, &error));
    assert_int_equal(wal_size(s, EDGE_FILE_AUTH), short_wal);
    write_much(db, 40000);
    assert_true(wal_size(s, EDGE_FILE_AUTH) > EDGE_WAL_MAX);
    /* A reader that has begun keeps what it reads from. */
    assert_int_equal(sqlite3_open_v2(path, &reader, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(reader, "SELECT id FROM credential_secret", -1, &reading, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_step(reading), SQLITE_ROW);
    write_much(db, 20000);
    assert_true(edge_schema_trim(db, &error));
    assert_true(wal_size(s, EDGE_FILE_AUTH) > EDGE_WAL_MAX);
    sqlite3_finalize(reading);
    assert_true(edge_schema_trim(db, &error));
    assert_no_error(error);
    assert_int_equal(wal_size(s, EDGE_FILE_AUTH), 0);
    assert_found(s->edge);
    sqlite3_close(reader);
    sqlite3_close(db);
    assert_int_equal(wal_size(s, EDGE_FILE_AUTH), 0);
    assert_found(s->edge);
}

static void test_edge_schema_open_refuses(void **state)
{
    EdgeWorld *s = *state;
    GError *error = NULL;

    edge_fixture_exec(s->dir, EDGE_FILE_AUTH, "PRAGMA user_version = 9");
    assert_null(edge_schema_open(s->dir, EDGE_FILE_AUTH, (gid_t)-1, &error));
    assert_error_code(error, CORRUPT);
    assert_null(edge_schema_open("/nonexistent/outrider", EDGE_FILE_AUTH, (gid_t)-1, &error));
    assert_error_code(error, NOT_FOUND);
}

static void test_edge_schema_upsert_fits_every_table(void **state)
{
    EdgeWorld *s = *state;

    for (guint i = 0; i < edge_table_count; i++) {
        const EdgeTable *table = &edge_tables[i];
        g_autofree char *sql = edge_schema_upsert(table);
        g_auto(GStrv) columns = edge_schema_columns(table);
        sqlite3_stmt *statement = NULL;
        sqlite3 *db = edge_schema_open(s->dir, table->file, (gid_t)-1, NULL);
        assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_bind_parameter_count(statement), g_strv_length(columns));
        for (guint round = 0; round < 2; round++) {
            sqlite3_bind_int64(statement, 1, 4242);
            assert_int_equal(sqlite3_step(statement), SQLITE_DONE);
            sqlite3_reset(statement);
        }
        sqlite3_finalize(statement);
        sqlite3_close(db);
        assert_ptr_equal(edge_schema_table(table->name), table);
    }
    assert_null(edge_schema_table("nothing"));
    g_auto(GStrv) names = edge_schema_columns(edge_schema_table("ip_pool"));
    assert_string_equal(names[1], "name");
}

static const char *const statements[] = {
#define X(NAME, sql) sql,
#include "lib/edge/edge_statement.def"
#undef X
};

/* The plan of a statement, in whichever replica has its tables. */
static sqlite3_stmt *explain(sqlite3 *const replicas[EDGE_FILE_COUNT], const char *text)
{
    g_autofree char *sql = g_strconcat("EXPLAIN ", text, NULL);
    sqlite3_stmt *plan = NULL;

    for (guint i = 0; !plan && i < EDGE_FILE_COUNT; i++)
        sqlite3_prepare_v2(replicas[i], sql, -1, &plan, NULL);
    assert_non_null(plan);
    return plan;
}

/* A table that SQLite makes for one look-up takes longer than the look-up. */
static void test_edge_statements_make_no_tables(void **state)
{
    EdgeWorld *s = *state;
    sqlite3 *replicas[EDGE_FILE_COUNT];

    for (guint i = 0; i < EDGE_FILE_COUNT; i++)
        replicas[i] = edge_schema_open(s->dir, (EdgeFile)i, (gid_t)-1, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(statements); i++) {
        sqlite3_stmt *plan = explain(replicas, statements[i]);
        while (sqlite3_step(plan) == SQLITE_ROW) {
            const char *step = (const char *)sqlite3_column_text(plan, 1);
            if (g_str_equal(step, "OpenEphemeral") || g_str_equal(step, "OpenAutoindex"))
                fail_msg("%s: %s", step, statements[i]);
        }
        sqlite3_finalize(plan);
    }
    for (guint i = 0; i < EDGE_FILE_COUNT; i++)
        sqlite3_close(replicas[i]);
}

#define CASE(name, with) cmocka_unit_test_setup_teardown(name, with, edge_world_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_edge_missing_then_appears, edge_world_start),
        CASE(test_edge_unfilled_is_unavailable, edge_world_start),
        CASE(test_edge_replaced_file_is_reopened, setup),
        CASE(test_edge_damaged_is_unavailable, setup),
        CASE(test_edge_reads_while_writer_writes, setup),
        CASE(test_edge_other_user_reads, setup),
        CASE(test_edge_other_user_reads_without_index, setup),
        CASE(test_edge_without_index_sees_writer_come, setup),
        CASE(test_edge_unreadable_is_unavailable, setup),
        CASE(test_edge_state_is_what_was_filled, setup),
        CASE(test_edge_schema_trim_empties_a_long_wal, setup),
        CASE(test_edge_many_threads, setup),
        CASE(test_edge_schema_modes_and_state, edge_world_start),
        CASE(test_edge_schema_open_refuses, edge_world_start),
        CASE(test_edge_statements_make_no_tables, setup),
        CASE(test_edge_schema_upsert_fits_every_table, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
