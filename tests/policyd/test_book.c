/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "policyd/book.h"
#include "tests/lib/testing.h"

#define DAY (86400 * (gint64)G_USEC_PER_SEC)

static char *folder, *file;

static int make_folder(void **state)
{
    (void)state;
    folder = g_dir_make_tmp("outrider-book-XXXXXX", NULL);
    file = g_build_filename(folder, "counters", NULL);
    return 0;
}

static int remove_folder(void **state)
{
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", folder);

    (void)state;
    g_free(folder);
    g_free(file);
    return g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL) ? 0 : -1;
}

static Book *open_book(void)
{
    GError *error = NULL;
    Book *book = book_open(file, &error);

    assert_no_error(error);
    assert_non_null(book);
    return book;
}

static void count(Book *book, guint32 limit, guint32 n)
{
    BookCounter *counter = book_counter(book, limit);

    assert_non_null(counter);
    window_add(&counter->window, book_now(book), DAY, n);
}

static guint64 counted(Book *book, guint32 limit)
{
    return window_count(&book_counter(book, limit)->window, book_now(book), DAY);
}

static void test_book_counts_survive(void **state)
{
    (void)state;
    Book *book = open_book();
    for (guint32 limit = 1; limit <= 1000; limit++)
        count(book, limit, limit);
    book_close(book);
    book = open_book();
    for (guint32 limit = 1; limit <= 1000; limit++)
        assert_int_equal(counted(book, limit), limit);
    assert_int_equal(counted(book, 5000), 0);
    book_close(book);
}

static void test_book_counts_survive_kill(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        Book *book = book_open(file, NULL);
        for (guint32 limit = 1; book && limit <= 300; limit++)
            window_add(&book_counter(book, limit)->window, book_now(book), DAY, limit);
        raise(SIGKILL);
    }
    waitpid(child, NULL, 0);
    Book *book = open_book();
    for (guint32 limit = 1; limit <= 300; limit++)
        assert_int_equal(counted(book, limit), limit);
    book_close(book);
}

static gboolean is_odd(guint32 limit, gpointer data)
{
    (*(guint *)data)++;
    return limit % 2 == 1;
}

static void add_limit(const BookCounter *counter, gpointer data)
{
    *(guint *)data = *(guint *)data * 10 + counter->limit;
}

static gboolean is_not_two(guint32 limit, G_GNUC_UNUSED gpointer data)
{
    return limit != 2;
}

static void test_book_each_is_what_there_is(void **state)
{
    guint seen = 0;

    (void)state;
    g_autoptr(Book) book = open_book();
    book_each(book, add_limit, &seen);
    assert_int_equal(seen, 0);
    for (guint32 limit = 1; limit <= 3; limit++)
        count(book, limit, 1);
    book_keep(book, is_not_two, NULL);
    book_each(book, add_limit, &seen);
    assert_int_equal(seen, 13);
}

static void test_book_keep_frees(void **state)
{
    guint asked = 0;
    struct stat before, after;

    (void)state;
    Book *book = open_book();
    for (guint32 limit = 1; limit <= 1000; limit++)
        count(book, limit, 5);
    assert_int_equal(stat(file, &before), 0);
    book_keep(book, is_odd, &asked);
    assert_int_equal(asked, 1000);
    for (guint32 limit = 2; limit <= 1000; limit += 2)
        assert_int_equal(counted(book, limit + 10000), 0); /* in the places of the even ones */
    for (guint32 limit = 1; limit <= 1000; limit += 2)
        assert_int_equal(counted(book, limit), 5);
    assert_int_equal(stat(file, &after), 0);
    assert_int_equal(before.st_size, after.st_size);
    book_close(book);
}

static void test_book_remembers_the_last_messages(void **state)
{
    (void)state;
    Book *book = open_book();
    assert_false(book_is_charged(book, 1));
    for (guint64 message = 1; message <= BOOK_CHARGED_MAX + 10; message++)
        book_note_charged(book, message);
    book_note_charged(book, BOOK_CHARGED_MAX); /* again */
    book_close(book);
    book = open_book();
    assert_false(book_is_charged(book, 10));
    assert_true(book_is_charged(book, 11));
    assert_true(book_is_charged(book, BOOK_CHARGED_MAX + 10));
    assert_false(book_is_charged(book, BOOK_CHARGED_MAX + 11));
    book_note_charged(book, BOOK_CHARGED_MAX + 11);
    assert_false(book_is_charged(book, 11));
    assert_true(book_is_charged(book, 12));
    book_close(book);
}

static void test_book_open_twice(void **state)
{
    GError *error = NULL;

    (void)state;
    Book *book = open_book();
    assert_null(book_open(file, &error));
    assert_error_code(error, CONFLICT);
    book_close(book);
    g_clear_error(&error);
}

static void test_book_open_refuses_nothing_it_can_put_aside(void **state)
{
    static const struct {
        const char *text;
        gsize length;
    } cases[] = {{"x", 1}, {"outlimit", 8}, {"outlimit\1\0\0\0\1\0\0\0", 16}};
    g_autofree char *aside = g_strconcat(file, ".broken", NULL);

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        assert_true(g_file_set_contents(file, cases[i].text, (gssize)cases[i].length, NULL));
        Book *book = open_book();
        count(book, 7, 3);
        book_close(book);
        assert_true(g_file_test(aside, G_FILE_TEST_EXISTS));
        book = open_book();
        assert_int_equal(counted(book, 7), 3);
        book_close(book);
        g_unlink(aside);
    }
}

/* Cut in a counter: a whole number of them is what we write. */
static void test_book_open_cut_file(void **state)
{
    (void)state;
    Book *book = open_book();
    count(book, 7, 3);
    book_close(book);
    assert_int_equal(truncate(file, 4096 + 100), 0);
    book = open_book();
    assert_int_equal(counted(book, 7), 0);
    book_close(book);
}

static void test_book_open_with_part_of_a_counter(void **state)
{
    struct stat st;

    (void)state;
    Book *book = open_book();
    count(book, 7, 3);
    book_close(book);
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(truncate(file, st.st_size - 100), 0);
    book = open_book();
    assert_int_equal(counted(book, 7), 3);
    for (guint32 limit = 100; limit < 1000; limit++)
        count(book, limit, 1);
    assert_int_equal(counted(book, 7), 3);
    book_close(book);
}

static void test_book_open_impossible(void **state)
{
    GError *error = NULL;

    (void)state;
    assert_null(book_open("/nonexistent/counters", &error));
    assert_error_code(error, NOT_FOUND);
    g_clear_error(&error);
    assert_int_equal(symlink("/etc/passwd", file), 0);
    assert_null(book_open(file, &error));
    assert_error_code(error, IO);
}

static void test_book_now_after_reboot(void **state)
{
    char other[36];

    (void)state;
    memset(other, 'a', sizeof other);
    Book *book = open_book();
    count(book, 7, 3);
    gint64 before = book_now(book);
    book_close(book);
    int fd = open(file, O_RDWR);
    assert_int_equal(pwrite(fd, other, sizeof other, 16), sizeof other); /* Header.boot */
    close(fd);
    book = open_book();
    assert_true(book_now(book) >= before);
    assert_true(book_now(book) < before + 60 * (gint64)G_USEC_PER_SEC);
    assert_int_equal(counted(book, 7), 3);
    book_close(book);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        CASE(test_book_counts_survive),      CASE(test_book_open_with_part_of_a_counter),
        CASE(test_book_counts_survive_kill), CASE(test_book_each_is_what_there_is),
        CASE(test_book_keep_frees),          CASE(test_book_remembers_the_last_messages),
        CASE(test_book_open_twice),          CASE(test_book_open_refuses_nothing_it_can_put_aside),
        CASE(test_book_open_cut_file),       CASE(test_book_open_impossible),
        CASE(test_book_now_after_reboot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
