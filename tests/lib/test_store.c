/* SPDX-License-Identifier: MIT */
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/base/id.h"
#include "lib/store/record.h"
#include "lib/store/store.h"
#include "tests/lib/testing.h"

#define NOW  ((gint64)1790000000) /* 2026-09-21T14:13:20Z */
#define MANY 3000000

static char *spool;

static int make_spool(void **state)
{
    (void)state;
    spool = g_dir_make_tmp("outrider-store-XXXXXX", NULL);
    return spool ? 0 : -1;
}

static int remove_spool(void **state)
{
    (void)state;
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", spool);
    gboolean done = g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL);
    g_clear_pointer(&spool, g_free);
    return done ? 0 : -1;
}

static guint64 id_of(gint64 seconds, guint index)
{
    return id_at(id_floor(seconds) | 1, index);
}

static void keep(guint64 id, const char *data, gsize length, gsize portion)
{
    GError *error = NULL;
    StoreHeader header = {.id = id, .server = 7};
    StoreWriter *writer = store_writer_open(spool, &header, &error);
    g_autofree char *path = NULL;

    assert_no_error(error);
    for (gsize at = 0; at < length; at += portion)
        assert_true(store_writer_add(writer, data + at, MIN(portion, length - at), &error));
    assert_true(store_writer_commit(writer, &path, &error));
    g_autofree char *wanted = store_path(id);
    assert_string_equal(path, wanted);
}

static char *file_of(guint64 id)
{
    g_autofree char *below = store_path(id);
    return g_build_filename(spool, "store", below, NULL);
}

static void test_store_path_by_utc_hour(void **state)
{
    (void)state;
    guint64 id = id_of(NOW, 0);
    g_autofree char *path = store_path(id);
    g_autofree char *wanted = g_strdup_printf("20260921/14/%" G_GUINT64_FORMAT ".zst", id);

    assert_string_equal(path, wanted);
}

/* MANY octets that no compression makes fewer; g_free. */
static char *make_noise(void)
{
    char *noise = g_malloc(MANY);

    for (guint i = 0; i < MANY; i++)
        noise[i] = (char)(g_random_int() & 0xff);
    return noise;
}

static void test_store_read_gives_back_octets(void **state)
{
    (void)state;
    g_autofree char *noise = make_noise();
    const struct {
        const char *data;
        gsize length, portion;
    } cases[] = {
        {"", 0, 1},          {"x", 1, 1},          {"a\0b\r\n", 5, 2},
        {noise, MANY, MANY}, {noise, MANY, 65535}, {noise, 70000, 1},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        guint64 id = id_of(NOW, i);
        StoreHeader header;
        GError *error = NULL;
        keep(id, cases[i].data, cases[i].length, cases[i].portion);
        g_autoptr(GBytes) bytes = store_read(spool, id, MANY, &header, &error);
        assert_no_error(error);
        assert_int_equal(g_bytes_get_size(bytes), cases[i].length);
        assert_int_equal(header.server, 7);
        if (cases[i].length > 0)
            assert_memory_equal(g_bytes_get_data(bytes, NULL), cases[i].data, cases[i].length);
    }
}

static void test_store_writer_commit_replaces(void **state)
{
    (void)state;
    guint64 id = id_of(NOW, 0);
    keep(id, "first", 5, 5);
    keep(id, "second", 6, 6);
    g_autoptr(GBytes) bytes = store_read(spool, id, 100, NULL, NULL);
    assert_int_equal(g_bytes_get_size(bytes), 6);
}

static void test_store_writer_abort_leaves_nothing(void **state)
{
    (void)state;
    StoreHeader header = {.id = id_of(NOW, 0), .server = 1};
    StoreWriter *writer = store_writer_open(spool, &header, NULL);
    GError *error = NULL;

    assert_true(store_writer_add(writer, "x", 1, NULL));
    store_writer_abort(writer);
    g_autofree char *file = file_of(header.id);
    assert_false(g_file_test(file, G_FILE_TEST_EXISTS));
    assert_null(store_read(spool, header.id, 100, NULL, &error));
    assert_error_code(error, NOT_FOUND);
}

/* Two copies of a message that the hop brings at once. */
static StoreWriter *begin(guint64 id, const char *text)
{
    StoreHeader header = {.id = id, .server = 1};
    StoreWriter *writer = store_writer_open(spool, &header, NULL);

    assert_non_null(writer);
    assert_true(store_writer_add(writer, text, strlen(text), NULL));
    return writer;
}

static void finish(StoreWriter *writer)
{
    g_autofree char *path = NULL;

    assert_true(store_writer_commit(writer, &path, NULL));
}

static void assert_stored(guint64 id, const char *text)
{
    g_autoptr(GBytes) bytes = store_read(spool, id, 100, NULL, NULL);

    assert_non_null(bytes);
    assert_int_equal(g_bytes_get_size(bytes), strlen(text));
    assert_memory_equal(g_bytes_get_data(bytes, NULL), text, strlen(text));
}

static void test_store_writer_open_second_copy(void **state)
{
    guint64 id = id_of(NOW, 0);
    GError *error = NULL;

    (void)state;
    StoreWriter *first = begin(id, "first");
    assert_null(store_read(spool, id, 100, NULL, &error));
    assert_error_code(error, CORRUPT);
    finish(begin(id, "second"));
    assert_stored(id, "second");
    store_writer_abort(first); /* its file has no name any more */
    assert_stored(id, "second");
    store_writer_abort(begin(id, "third"));
    assert_stored(id, "second");
    finish(begin(id, "fourth"));
    assert_stored(id, "fourth");
}

/* Each copy writes a file of its own until it is whole. */
static void test_store_writer_open_third_copy(void **state)
{
    guint64 id = id_of(NOW, 0);

    (void)state;
    finish(begin(id, "first"));
    StoreWriter *second = begin(id, "second");
    StoreWriter *third = begin(id, "third, and longer");
    finish(second);
    assert_stored(id, "second");
    finish(third);
    assert_stored(id, "third, and longer");
}

static void test_store_writer_open_after_kill(void **state)
{
    guint64 id = id_of(NOW, 0);
    g_autofree char *file = file_of(id);

    (void)state;
    finish(begin(id, "whole"));
    assert_true(g_file_set_contents(file, "half", 4, NULL));
    finish(begin(id, "whole again"));
    assert_stored(id, "whole again");
}

static void test_store_remove_twice(void **state)
{
    guint64 id = id_of(NOW, 0);
    GError *error = NULL;

    (void)state;
    keep(id, "gone\r\n", 6, 6);
    assert_true(store_remove(spool, id, &error));
    assert_null(store_read(spool, id, 100, NULL, &error));
    assert_error_code(error, NOT_FOUND);
    assert_true(store_remove(spool, id, &error));
    assert_no_error(error);
}

static void test_store_writer_open_without_spool(void **state)
{
    (void)state;
    StoreHeader header = {.id = id_of(NOW, 0), .server = 1};
    GError *error = NULL;

    assert_null(store_writer_open("/nonexistent/spool", &header, &error));
    assert_non_null(error);
    g_clear_error(&error);
}

static void test_store_read_too_large(void **state)
{
    (void)state;
    guint64 id = id_of(NOW, 0);
    StoreHeader header = {.id = 99};
    GError *error = NULL;

    keep(id, "123456", 6, 6);
    assert_null(store_read(spool, id, 5, &header, &error));
    assert_error_code(error, TOO_LARGE);
    assert_int_equal(header.id, 99);
}

static void test_store_read_begin_table(void **state)
{
    (void)state;
    static const gsize lengths[] = {0, 1, 17, 4096, 65536, MANY - 1, MANY, MANY + 1};
    guint64 id = id_of(NOW, 0);
    g_autofree char *noise = make_noise();

    keep(id, noise, MANY, 65535);
    for (guint i = 0; i < G_N_ELEMENTS(lengths); i++) {
        GError *error = NULL;
        g_autoptr(GBytes) bytes = store_read_begin(spool, id, lengths[i], &error);
        assert_no_error(error);
        assert_int_equal(g_bytes_get_size(bytes), MIN(lengths[i], MANY));
        if (lengths[i] > 0)
            assert_memory_equal(g_bytes_get_data(bytes, NULL), noise, MIN(lengths[i], MANY));
    }
}

static void test_store_read_begin_bad(void **state)
{
    (void)state;
    guint64 id = id_of(NOW, 0);
    GError *error = NULL;
    gsize length;
    g_autofree char *good = NULL;

    assert_null(store_read_begin(spool, id, 10, &error));
    assert_error_code(error, NOT_FOUND);
    keep(id, "hello hello hello", 17, 17);
    g_autofree char *file = file_of(id);
    assert_true(g_file_get_contents(file, &good, &length, NULL));
    for (gsize i = 0; i < length; i++) {
        GError *why = NULL;
        assert_true(g_file_set_contents(file, good, (gssize)i, NULL));
        g_autoptr(GBytes) bytes = store_read_begin(spool, id, 10, &why);
        if (bytes)
            assert_memory_equal(g_bytes_get_data(bytes, NULL), "hello hell", 10);
        else
            assert_error_code(why, CORRUPT);
    }
    keep(id_of(NOW, 1), "another", 7, 7);
    g_autofree char *other = file_of(id_of(NOW, 1));
    assert_int_equal(rename(other, file), 0);
    assert_null(store_read_begin(spool, id, 10, &error));
    assert_error_code(error, CORRUPT);
}

/* Each octet of a stored file in turn is changed, and each length cut: never other octets. */
static void test_store_read_damaged(void **state)
{
    (void)state;
    guint64 id = id_of(NOW, 0);
    keep(id, "hello hello hello", 17, 17);
    g_autofree char *file = file_of(id);
    g_autofree char *good = NULL;
    gsize length;
    assert_true(g_file_get_contents(file, &good, &length, NULL));
    for (gsize i = 0; i < length; i++) {
        g_autofree char *bad = g_memdup2(good, length);
        g_autoptr(GError) error = NULL;
        bad[i] ^= 0x10;
        assert_true(g_file_set_contents(file, bad, (gssize)length, NULL));
        g_autoptr(GBytes) bytes = store_read(spool, id, 100, NULL, &error);
        if (bytes)
            assert_memory_equal(g_bytes_get_data(bytes, NULL), "hello hello hello", 17);
        assert_true(g_file_set_contents(file, good, (gssize)i, NULL));
        assert_null(store_read(spool, id, 100, NULL, NULL));
    }
}

static void test_record_decode_refuses(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",          "{}",
        "[1]",       "{\"v\":2,\"id\":1,\"server\":1,\"size\":1,\"sha256\":\"x\"}",
        "not json",  "{\"v\":1,\"id\":-1,\"server\":1,\"size\":1,\"sha256\":\"x\"}",
        "{\"v\":1}", "{\"v\":1,\"id\":1,\"server\":1,\"size\":1,\"sha256\":\"short\"}",
    };
    StoreRecord record = {.size = 99};
    guint8 frame[RECORD_LENGTH];
    StoreRecord good = {.header = {.id = 1, .server = 2}, .size = 3};

    memset(good.sha256, 'a', 64);
    record_encode(&good, frame);
    assert_true(record_decode(frame, sizeof frame, &record));
    assert_int_equal(record.size, 3);
    record.size = 99;
    assert_false(record_decode(frame, sizeof frame - 1, &record));
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        memset(frame + 8, ' ', sizeof frame - 8);
        memcpy(frame + 8, bad[i], strlen(bad[i]));
        assert_false(record_decode(frame, sizeof frame, &record));
    }
    assert_int_equal(record.size, 99);
}

static void test_store_expire_by_days(void **state)
{
    (void)state;
    guint64 removed = 99;
    guint found = 99, overdue = 99;
    GError *error = NULL;
    g_autofree char *other = NULL;

    assert_true(store_expire(spool, NOW, 30, &removed, &error));
    assert_int_equal(removed, 0);
    assert_false(store_count_days(spool, NOW, 30, &found, &overdue, &error));
    assert_error_code(error, IO);
    for (guint day = 0; day < 5; day++)
        keep(id_of(NOW - day * 86400, day), "x", 1, 1);
    other = g_build_filename(spool, "store", "20200101x", NULL);
    assert_int_equal(g_mkdir(other, 0700), 0);
    assert_true(store_count_days(spool, NOW, 2, &found, &overdue, &error));
    assert_int_equal(found, 5);
    assert_int_equal(overdue, 2);
    assert_true(store_expire(spool, NOW, 2, &removed, &error));
    assert_int_equal(removed, 2);
    for (guint day = 0; day < 5; day++) {
        g_autofree char *file = file_of(id_of(NOW - day * 86400, day));
        assert_int_equal(g_file_test(file, G_FILE_TEST_EXISTS), day <= 2);
    }
    assert_true(g_file_test(other, G_FILE_TEST_IS_DIR));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, make_spool, remove_spool)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_store_path_by_utc_hour),
        CASE(test_store_read_gives_back_octets),
        CASE(test_store_writer_commit_replaces),
        CASE(test_store_writer_abort_leaves_nothing),
        CASE(test_store_writer_open_second_copy),
        CASE(test_store_writer_open_third_copy),
        CASE(test_store_writer_open_after_kill),
        CASE(test_store_remove_twice),
        CASE(test_store_writer_open_without_spool),
        CASE(test_store_read_too_large),
        CASE(test_store_read_begin_table),
        CASE(test_store_read_begin_bad),
        CASE(test_store_read_damaged),
        CASE(test_record_decode_refuses),
        CASE(test_store_expire_by_days),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
