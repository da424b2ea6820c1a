/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/service/beneath.h"
#include "tests/lib/testing.h"

static char *top;

static void in_top(const char *name, int (*make)(const char *path))
{
    g_autofree char *path = g_build_filename(top, name, NULL);
    assert_int_equal(make(path), 0);
}

static int make_folder(const char *path)
{
    return mkdir(path, 0700);
}

static int make_file(const char *path)
{
    return g_file_set_contents(path, "octets", -1, NULL) ? 0 : -1;
}

static int make_link_to_file(const char *path)
{
    return symlink("file", path);
}

static int make_link_to_folder(const char *path)
{
    return symlink("folder", path);
}

static int make_fifo(const char *path)
{
    return mkfifo(path, 0600);
}

static int set_up(void **state)
{
    (void)state;
    top = g_dir_make_tmp("beneath-XXXXXX", NULL);
    in_top("folder", make_folder);
    in_top("file", make_file);
    in_top("folder/file", make_file);
    in_top("link", make_link_to_file);
    in_top("folder/link", make_link_to_file);
    in_top("other", make_link_to_folder);
    in_top("fifo", make_fifo);
    return top ? 0 : -1;
}

static int tear_down(void **state)
{
    static const char *const names[] = {"folder/file", "folder/link", "folder", "file",
                                        "link",        "other",       "fifo",   ""};
    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(top, names[i], NULL);
        g_remove(path);
    }
    g_free(top);
    return 0;
}

static void test_beneath_open_opens(void **state)
{
    static const char *const paths[] = {"file", "folder/file", "fifo"};

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(paths); i++) {
        int fd = beneath_open(top, paths[i], O_RDWR);
        assert_true(fd >= 0);
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
        close(fd);
    }
}

static void test_beneath_open_refuses(void **state)
{
    static const struct {
        const char *path;
        int flags, why;
    } cases[] = {
        {"absent", O_RDONLY, ENOENT},      {"folder/absent", O_RDONLY, ENOENT},
        {"link", O_RDONLY, ELOOP},         {"folder/link", O_RDONLY, ELOOP},
        {"other/file", O_RDONLY, ENOTDIR}, {"file/file", O_RDONLY, ENOTDIR},
        {"fifo/file", O_RDONLY, ENOTDIR},  {"folder", O_RDWR, EISDIR},
        {"fifo", O_WRONLY, ENXIO},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        errno = 0;
        int fd = beneath_open(top, cases[i].path, cases[i].flags);
        if (fd != -1 || errno != cases[i].why)
            fail_msg("%s: fd %d, errno %d", cases[i].path, fd, errno);
    }
    assert_int_equal(beneath_open("/nonexistent", "file", O_RDONLY), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_beneath_open_opens),
        cmocka_unit_test(test_beneath_open_refuses),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
