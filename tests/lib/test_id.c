/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/base/id.h"
#include "tests/lib/testing.h"

#define NOW          (ID_EPOCH + 60 * 86400)
#define PROCESSES    8
#define THREADS      3
#define RESERVATIONS 4000 /* of each thread */

typedef struct {
    char *dir;
    char *path;
} Fixture;

static int setup(void **state)
{
    Fixture *fixture = g_new0(Fixture, 1);

    fixture->dir = g_dir_make_tmp("outrider-id-XXXXXX", NULL);
    fixture->path = g_build_filename(fixture->dir, "next-id", NULL);
    *state = fixture;
    return fixture->dir ? 0 : -1;
}

static int teardown(void **state)
{
    Fixture *fixture = *state;

    g_unlink(fixture->path);
    g_rmdir(fixture->dir);
    g_free(fixture->path);
    g_free(fixture->dir);
    g_free(fixture);
    return 0;
}

static IdSource *open_source(void **state, unsigned node)
{
    Fixture *fixture = *state;
    GError *error = NULL;
    IdSource *source = id_source_open(fixture->path, node, &error);

    assert_no_error(error);
    return source;
}

static void test_id_reserve_layout(void **state)
{
    g_autoptr(IdSource) source = open_source(state, 7);
    guint64 id = id_reserve(source, 3, NOW);

    assert_int_equal(id_seconds(id), NOW);
    assert_int_equal(id_node(id), 7);
    assert_int_equal(id & 0xff, 7);
    assert_int_equal(id_at(id, 2) - id, 2 << ID_NODE_BITS);
    assert_int_equal(id_reserve(source, 1, NOW), id_at(id, 3));
    assert_true(id >= id_floor(NOW) && id < id_floor(NOW + 1));
}

static void test_id_reserve_rises_when_clock_steps(void **state)
{
    g_autoptr(IdSource) source = open_source(state, 1);
    static const gint64 clock[] = {0, 1, -3600, -3600, 86400, 0, -86400 * 30, 86400 + 1, -NOW};
    guint64 last = 0;

    for (guint round = 0; round < 100; round++) {
        for (size_t i = 0; i < G_N_ELEMENTS(clock); i++) {
            guint count = 1 + (guint)g_random_int_range(0, 40);
            guint64 id = id_reserve(source, count, NOW + clock[i]);
            assert_true(id > last);
            last = id_at(id, count - 1);
        }
    }
}

static void test_id_reserve_survives_reopening(void **state)
{
    g_autoptr(IdSource) source = open_source(state, 1);
    guint64 before = id_reserve(source, 100, NOW);

    g_clear_pointer(&source, id_source_close);
    source = open_source(state, 1);
    assert_int_equal(id_reserve(source, 1, NOW - 3600), id_at(before, 100));
}

static void test_id_reserve_refuses_overflow(void **state)
{
    g_autoptr(IdSource) source = open_source(state, 1);

    assert_int_not_equal(id_reserve(source, 1, (gint64)ID_EPOCH + G_MAXINT32), 0);
    assert_int_equal(id_reserve(source, ID_BLOCK_MAX, (gint64)ID_EPOCH + G_MAXINT32), 0);
    assert_int_not_equal(id_reserve(source, 1, NOW), 0);
}

/* The clock as a thread meets it: it runs, is set back an hour, then forward a day. */
static gint64 stepping_clock(guint i)
{
    static const gint64 steps[] = {0, -3600, 86400};

    return NOW + i / 1000 + steps[i * G_N_ELEMENTS(steps) / RESERVATIONS];
}

typedef struct {
    IdSource *source;
    guint64 *ids;
    gboolean rising;
} Reserver;

static gpointer reserve_in_thread(gpointer data)
{
    Reserver *reserver = data;
    guint64 last = 0;

    reserver->rising = TRUE;
    for (guint i = 0; i < RESERVATIONS; i++) {
        guint64 id = id_reserve(reserver->source, 1 + i % 3, stepping_clock(i));
        reserver->ids[i] = id;
        reserver->rising = reserver->rising && id > last;
        last = id_at(id, i % 3);
    }
    return NULL;
}

/* The exit status is 0 when the ids of each thread rose. */
static void reserve_in_child(void **state, unsigned which)
{
    g_autoptr(IdSource) source = open_source(state, 9);
    Fixture *fixture = *state;
    g_autofree char *name = g_strdup_printf("%s/%u", fixture->dir, which);
    g_autofree guint64 *ids = g_new(guint64, THREADS * RESERVATIONS);
    Reserver reservers[THREADS];
    GThread *threads[THREADS];
    gboolean good = TRUE;

    for (guint i = 0; i < THREADS; i++) {
        reservers[i] = (Reserver){source, ids + i * RESERVATIONS, FALSE};
        threads[i] = g_thread_new("reserve", reserve_in_thread, &reservers[i]);
    }
    for (guint i = 0; i < THREADS; i++) {
        g_thread_join(threads[i]);
        good = good && reservers[i].rising;
    }
    good = good && g_file_set_contents(name, (const char *)ids,
                                       THREADS * RESERVATIONS * sizeof(guint64), NULL);
    _exit(good ? 0 : 1);
}

static int compare_ids(const void *a, const void *b)
{
    guint64 left = *(const guint64 *)a, right = *(const guint64 *)b;
    return left < right ? -1 : left > right;
}

static void test_id_reserve_unique_among_processes_when_clock_steps(void **state)
{
    Fixture *fixture = *state;
    g_autofree guint64 *all = g_new(guint64, PROCESSES * THREADS * RESERVATIONS * 2);
    size_t n = 0;

    for (unsigned which = 0; which < PROCESSES; which++)
        if (fork() == 0)
            reserve_in_child(state, which);
    for (unsigned which = 0; which < PROCESSES; which++) {
        int status = -1;
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    for (unsigned which = 0; which < PROCESSES; which++) {
        g_autofree char *name = g_strdup_printf("%s/%u", fixture->dir, which);
        g_autofree char *bytes = NULL;
        gsize length = 0;
        assert_true(g_file_get_contents(name, &bytes, &length, NULL));
        assert_int_equal(length, THREADS * RESERVATIONS * sizeof(guint64));
        for (guint i = 0; i < THREADS * RESERVATIONS; i++) {
            guint64 id = ((guint64 *)(void *)bytes)[i];
            guint more = i % RESERVATIONS % 3;
            all[n++] = id;
            if (more)
                all[n++] = id_at(id, more);
        }
        g_unlink(name);
    }
    qsort(all, n, sizeof(all[0]), compare_ids);
    for (size_t i = 1; i < n; i++)
        assert_true(all[i] > all[i - 1]);
}

static void test_id_source_open_refuses(void **state)
{
    Fixture *fixture = *state;
    GError *error = NULL;

    assert_null(id_source_open(fixture->path, 0, &error));
    assert_error_code(error, INVALID);
    assert_null(id_source_open(fixture->path, 256, &error));
    assert_error_code(error, INVALID);
    assert_true(g_file_set_contents(fixture->path, "short", 5, NULL));
    assert_null(id_source_open(fixture->path, 1, &error));
    assert_error_code(error, CORRUPT);
}

static void test_id_parse_bounds(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "0", "-1", "+5", " 5", "5 ", "0x10", "9007199254740992", "18446744073709551617", "5e3"};
    guint64 id = 42;

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_false(id_parse(bad[i], &id));
    assert_int_equal(id, 42);
    assert_true(id_parse("9007199254740991", &id));
    assert_int_equal(id, ID_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_id_reserve_layout, setup, teardown),
        cmocka_unit_test_setup_teardown(test_id_reserve_rises_when_clock_steps, setup, teardown),
        cmocka_unit_test_setup_teardown(test_id_reserve_survives_reopening, setup, teardown),
        cmocka_unit_test_setup_teardown(test_id_reserve_refuses_overflow, setup, teardown),
        cmocka_unit_test_setup_teardown(test_id_reserve_unique_among_processes_when_clock_steps,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_id_source_open_refuses, setup, teardown),
        cmocka_unit_test(test_id_parse_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
