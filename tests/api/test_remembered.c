/* SPDX-License-Identifier: MIT */
#include "api/remembered.h"

#include <glib/gstdio.h>
#include <sqlite3.h>
#include <string.h>

#include "lib/base/error.h"
#include "tests/lib/testing.h"

#define NOW 1795248000

typedef struct {
    char *dir, *path;
    Remembered *remembered;
} World;

static int start(void **state)
{
    World *world = g_new0(World, 1);

    world->dir = g_dir_make_tmp("outrider-remembered-XXXXXX", NULL);
    world->path = g_build_filename(world->dir, "remembered.db", NULL);
    world->remembered = remembered_open(world->path, NULL);
    *state = world;
    return world->remembered ? 0 : -1;
}

static int stop(void **state)
{
    static const char *const endings[] = {"", "-wal", "-shm"};
    World *world = *state;

    remembered_close(world->remembered);
    for (guint i = 0; i < G_N_ELEMENTS(endings); i++) {
        g_autofree char *path = g_strconcat(world->path, endings[i], NULL);
        g_unlink(path);
    }
    g_rmdir(world->dir);
    g_free(world->path);
    g_free(world->dir);
    g_free(world);
    return 0;
}

/* As after a kill. */
static void reopen(World *world)
{
    remembered_close(world->remembered);
    world->remembered = remembered_open(world->path, NULL);
    assert_non_null(world->remembered);
}

static RememberedState begin(World *world, guint32 server, const char *key, const char *digest,
                             gint64 now, SubmissionNames *names, char **answer)
{
    RememberedState state = REMEMBERED_BUSY;
    GError *error = NULL;

    assert_true(remembered_claim(world->remembered, server, key, digest, now, names, &state, answer,
                                 &error));
    if (state == REMEMBERED_NEW)
        assert_true(remembered_begin(world->remembered, server, key, now, names, &error));
    return state;
}

static void test_remembered_key_table(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "a\tb", "a\r\nb", "\x7f", "J\xc3\xb6"};
    g_autofree char *longest = g_strnfill(REMEMBERED_KEY_MAX, 'x');
    g_autofree char *longer = g_strnfill(REMEMBERED_KEY_MAX + 1, 'x');

    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_false(remembered_key_is_good(bad[i]));
    assert_true(remembered_key_is_good("order 7/retry"));
    assert_true(remembered_key_is_good(longest));
    assert_false(remembered_key_is_good(longer));
}

static void test_remembered_begin_answered(void **state)
{
    World *world = *state;
    SubmissionNames names = {.base = 256};
    g_autofree char *answer = NULL;

    assert_int_equal(begin(world, 1, "k", "d", NOW, &names, &answer), REMEMBERED_NEW);
    assert_int_equal(begin(world, 1, "k", "d", NOW, &names, &answer), REMEMBERED_BUSY);
    assert_true(remembered_done(world->remembered, 1, "k", "{\"a\":1}", NULL));
    assert_int_equal(begin(world, 1, "k", "other", NOW, &names, &answer), REMEMBERED_ANOTHER);
    assert_int_equal(begin(world, 2, "k", "other", NOW, &names, &answer), REMEMBERED_NEW);
    reopen(world);
    assert_null(answer);
    assert_int_equal(begin(world, 1, "k", "d", NOW + REMEMBERED_SECONDS - 1, &names, &answer),
                     REMEMBERED_ANSWERED);
    assert_string_equal(answer, "{\"a\":1}");
    assert_int_equal(begin(world, 1, "k", "d", NOW + REMEMBERED_SECONDS, &names, &answer),
                     REMEMBERED_NEW);
}

static void test_remembered_begin_again_after_a_kill(void **state)
{
    World *world = *state;
    SubmissionNames names = {.base = 256, .seed = {1, 2, 3}, .message_id = "a@b"},
                    later = {.base = 512};
    g_autofree char *answer = NULL;

    assert_int_equal(begin(world, 1, "k", "d", NOW, &names, &answer), REMEMBERED_NEW);
    reopen(world);
    assert_int_equal(begin(world, 1, "k", "d", NOW + 1, &later, &answer), REMEMBERED_AGAIN);
    assert_int_equal(later.base, 256);
    assert_memory_equal(later.seed, names.seed, sizeof names.seed);
    assert_string_equal(later.message_id, "a@b");
    gint64 quiet = remembered_quiet(world->remembered);
    assert_in_range(quiet, 0, 60 * G_USEC_PER_SEC);
    remembered_undone(world->remembered, 1, "k", REMEMBERED_UNCHANGED);
    assert_true(remembered_quiet(world->remembered) >= quiet);
    assert_int_equal(begin(world, 1, "k", "d", NOW + 1, &later, &answer), REMEMBERED_AGAIN);
    g_usleep(20000);
    quiet = remembered_quiet(world->remembered);
    remembered_undone(world->remembered, 1, "k", REMEMBERED_UNSURE);
    assert_true(remembered_quiet(world->remembered) < quiet);
    assert_int_equal(begin(world, 1, "k", "d", NOW + 1, &later, &answer), REMEMBERED_AGAIN);
}

static void test_remembered_undone(void **state)
{
    World *world = *state;
    SubmissionNames names = {.base = 256};
    g_autofree char *answer = NULL;

    assert_int_equal(begin(world, 1, "k", "d", NOW, &names, &answer), REMEMBERED_NEW);
    remembered_undone(world->remembered, 1, "k", REMEMBERED_NOTHING);
    names.base = 512;
    assert_int_equal(begin(world, 1, "k", "other", NOW, &names, &answer), REMEMBERED_NEW);
    assert_int_equal(names.base, 512);
}

/* What was claimed and not begun is another's as soon as it is left, and is not on disk. */
static void test_remembered_claim_is_not_kept(void **state)
{
    World *world = *state;
    SubmissionNames names = {.base = 256};
    RememberedState found = REMEMBERED_ANOTHER;
    g_autofree char *answer = NULL;

    assert_true(
        remembered_claim(world->remembered, 1, "k", "d", NOW, &names, &found, &answer, NULL));
    assert_int_equal(found, REMEMBERED_NEW);
    assert_int_equal(begin(world, 1, "k", "other", NOW, &names, &answer), REMEMBERED_BUSY);
    remembered_undone(world->remembered, 1, "k", REMEMBERED_UNCHANGED);
    assert_true(
        remembered_claim(world->remembered, 1, "k", "e", NOW, &names, &found, &answer, NULL));
    assert_int_equal(found, REMEMBERED_NEW);
    reopen(world);
    assert_int_equal(begin(world, 1, "k", "f", NOW, &names, &answer), REMEMBERED_NEW);
}

static guint rows(const World *world)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;

    assert_int_equal(sqlite3_open(world->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT count(*) FROM request", -1, &statement, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    guint count = (guint)sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return count;
}

/* What is old goes bit by bit, as new ones come. */
static void test_remembered_begin_removes_old_ones(void **state)
{
    World *world = *state;
    SubmissionNames names = {.base = 256};
    g_autofree char *answer = NULL;

    for (guint i = 0; i < 25; i++) {
        g_autofree char *key = g_strdup_printf("%u", i);
        assert_int_equal(begin(world, 1, key, "d", NOW + i, &names, &answer), REMEMBERED_NEW);
    }
    assert_int_equal(rows(world), 25);
    gint64 later = NOW + 23 + REMEMBERED_SECONDS;
    assert_int_equal(begin(world, 1, "x", "d", later, &names, &answer), REMEMBERED_NEW);
    assert_int_equal(rows(world), 16);
    assert_int_equal(begin(world, 1, "y", "d", later, &names, &answer), REMEMBERED_NEW);
    assert_int_equal(begin(world, 1, "z", "d", later, &names, &answer), REMEMBERED_NEW);
    assert_int_equal(rows(world), 4);
    reopen(world);
    assert_int_equal(begin(world, 1, "24", "d", later, &names, &answer), REMEMBERED_AGAIN);
}

/* Once what was answered cannot be written, it is known all the same, and written when it can be. */
static void test_remembered_done_unwritten(void **state)
{
    World *world = *state;
    SubmissionNames names = {.base = 7, .message_id = "a@b"};
    g_autofree char *first = NULL, *second = NULL, *third = NULL;
    g_autoptr(GError) error = NULL;
    sqlite3 *other = NULL;

    assert_int_equal(begin(world, 1, "k", "d", NOW, &names, &first), REMEMBERED_NEW);
    assert_int_equal(sqlite3_open(world->path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "ALTER TABLE request RENAME TO away", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_false(remembered_done(world->remembered, 1, "k", "yes", &error));
    assert_error_code(error, UNAVAILABLE);
    assert_int_equal(begin(world, 1, "k", "d", NOW, &names, &first), REMEMBERED_ANSWERED);
    assert_string_equal(first, "yes");
    assert_int_equal(begin(world, 1, "k", "other", NOW, &names, &second), REMEMBERED_ANOTHER);
    assert_null(second);
    assert_int_equal(sqlite3_exec(other, "ALTER TABLE away RENAME TO request", NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(other);
    assert_int_equal(begin(world, 1, "k", "d", NOW, &names, &second), REMEMBERED_ANSWERED);
    reopen(world);
    assert_int_equal(begin(world, 1, "k", "d", NOW, &names, &third), REMEMBERED_ANSWERED);
    assert_string_equal(third, "yes");
}

#define LANES 8
#define EACH  200

typedef struct {
    World *world;
    guint lane;
    gboolean good;
} Lane;

/* Every fourth is not answered before the end. */
static gpointer begin_many(gpointer data)
{
    Lane *lane = data;

    for (guint i = 0; i < EACH; i++) {
        g_autofree char *key = g_strdup_printf("%u/%u", lane->lane, i), *answer = NULL;
        SubmissionNames names = {.base = lane->lane * EACH + i + 1};
        RememberedState state = REMEMBERED_BUSY;
        if (!remembered_claim(lane->world->remembered, 1, key, "d", NOW, &names, &state, &answer,
                              NULL) ||
            state != REMEMBERED_NEW ||
            !remembered_begin(lane->world->remembered, 1, key, NOW, &names, NULL) ||
            (i % 4 && !remembered_done(lane->world->remembered, 1, key, key, NULL)))
            return NULL;
    }
    lane->good = TRUE;
    return NULL;
}

static void test_remembered_begin_many_at_once(void **state)
{
    World *world = *state;
    Lane lanes[LANES];
    GThread *threads[LANES];

    for (guint i = 0; i < LANES; i++) {
        lanes[i] = (Lane){world, i, FALSE};
        threads[i] = g_thread_new("lane", begin_many, &lanes[i]);
    }
    for (guint i = 0; i < LANES; i++) {
        g_thread_join(threads[i]);
        assert_true(lanes[i].good);
    }
    reopen(world);
    for (guint n = 0; n < LANES * EACH; n++) {
        g_autofree char *key = g_strdup_printf("%u/%u", n / EACH, n % EACH), *answer = NULL;
        SubmissionNames names = {0};
        RememberedState found = begin(world, 1, key, "d", NOW, &names, &answer);
        assert_int_equal(found, n % EACH % 4 ? REMEMBERED_ANSWERED : REMEMBERED_AGAIN);
        if (answer)
            assert_string_equal(answer, key);
        else
            assert_int_equal(names.base, n + 1);
    }
}

static void test_remembered_open_refuses(void **state)
{
    World *world = *state;
    g_autofree char *nowhere = g_build_filename(world->dir, "none", "remembered.db", NULL);
    g_autofree char *other = g_build_filename(world->dir, "other", NULL);
    g_autofree char *text = g_strnfill(8192, 'x');
    GError *error = NULL;

    assert_null(remembered_open(nowhere, &error));
    assert_non_null(strstr(error->message, nowhere));
    assert_error_code(error, UNAVAILABLE);
    g_file_set_contents(other, text, -1, NULL);
    assert_null(remembered_open(other, &error));
    assert_non_null(strstr(error->message, other));
    assert_error_code(error, UNAVAILABLE);
    g_unlink(other);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_remembered_key_table),
        CASE(test_remembered_begin_answered),
        CASE(test_remembered_begin_again_after_a_kill),
        CASE(test_remembered_undone),
        CASE(test_remembered_claim_is_not_kept),
        CASE(test_remembered_begin_removes_old_ones),
        CASE(test_remembered_done_unwritten),
        CASE(test_remembered_begin_many_at_once),
        CASE(test_remembered_open_refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
