/* SPDX-License-Identifier: MIT */
#include "lib/journal/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/journal/reader.h"

#define NAME_DIGITS 16
#define SUFFIX      ".seg"

char *folder_path(const char *spool_dir, const char *program)
{
    return g_build_filename(spool_dir, "journal", program, NULL);
}

static gboolean segment_name(const char *name, guint64 *first)
{
    g_autofree char *digits = g_strndup(name, NAME_DIGITS);

    return strlen(name) == NAME_DIGITS + strlen(SUFFIX) &&
           strcmp(name + NAME_DIGITS, SUFFIX) == 0 &&
           g_ascii_string_to_unsigned(digits, 16, 1, G_MAXUINT64, first, NULL);
}

static int compare_numbers(const void *a, const void *b)
{
    guint64 left = *(const guint64 *)a, right = *(const guint64 *)b;
    return left < right ? -1 : left > right;
}

GArray *folder_segments(const char *path, GError **error)
{
    g_autoptr(GError) why = NULL;
    g_autoptr(GDir) dir = g_dir_open(path, 0, &why);
    g_autoptr(GArray) firsts = g_array_new(FALSE, FALSE, sizeof(guint64));
    const char *name;

    if (!dir) {
        gboolean missing = g_error_matches(why, G_FILE_ERROR, G_FILE_ERROR_NOENT);
        g_set_error_literal(error, OUTRIDER_ERROR,
                            missing ? OUTRIDER_ERROR_NOT_FOUND : OUTRIDER_ERROR_IO, why->message);
        return NULL;
    }
    while ((name = g_dir_read_name(dir))) {
        guint64 first;
        if (segment_name(name, &first))
            g_array_append_val(firsts, first);
    }
    g_array_sort(firsts, compare_numbers);
    return g_steal_pointer(&firsts);
}

char *folder_segment_path(const char *path, guint64 first)
{
    return g_strdup_printf("%s/%0*" G_GINT64_MODIFIER "x" SUFFIX, path, NAME_DIGITS, first);
}

/* Gives the file its size, and its block before it is mapped: a store that finds no space would be a
 * SIGBUS. 0 or an errno. */
static int size_committed(int fd, gboolean writable)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return errno;
    if (writable && st.st_size != sizeof(guint64) && ftruncate(fd, sizeof(guint64)) < 0)
        return errno;
    if (writable)
        return posix_fallocate(fd, 0, sizeof(guint64));
    return st.st_size == sizeof(guint64) ? 0 : EIO;
}

FolderCommitted *folder_map_committed(const char *path, gboolean writable, GError **error)
{
    g_autofree char *name = g_build_filename(path, "committed", NULL);
    int fd = open(name, (writable ? O_RDWR | O_CREAT : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW, 0640);
    void *memory = MAP_FAILED;

    if (fd < 0) {
        error_set_errno(error, errno, "open", name);
        return NULL;
    }
    int why = size_committed(fd, writable);
    if (why == 0) {
        memory = mmap(NULL, sizeof(guint64), writable ? PROT_READ | PROT_WRITE : PROT_READ,
                      MAP_SHARED, fd, 0);
        why = errno;
    }
    if (memory == MAP_FAILED)
        error_set_errno(error, why, "map", name);
    close(fd);
    return memory == MAP_FAILED ? NULL : memory;
}

void folder_unmap(FolderCommitted *committed)
{
    if (committed)
        munmap(committed, sizeof(guint64));
}

gboolean folder_ensure_epoch(const char *path, GError **error)
{
    g_autofree char *name = g_build_filename(path, "epoch", NULL);
    g_autoptr(GError) why = NULL;
    guint64 random = 0;

    if (g_file_test(name, G_FILE_TEST_EXISTS))
        return TRUE;
    if (getrandom(&random, sizeof(random), 0) != sizeof(random))
        return error_set_errno(error, errno, "random octets for", name);
    g_autofree char *text = g_strdup_printf("%016" G_GINT64_MODIFIER "x\n", random);
    if (g_file_set_contents_full(name, text, -1,
                                 G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0640,
                                 &why))
        return TRUE;
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_IO, "%s", why->message);
    return FALSE;
}

gboolean folder_sync(const char *path, GError **error)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    gboolean synced = fd >= 0 && fsync(fd) == 0;

    if (!synced)
        error_set_errno(error, errno, "sync", path);
    if (fd >= 0)
        close(fd);
    return synced;
}

char *journal_epoch(const char *spool_dir, const char *program, GError **error)
{
    g_autofree char *path = folder_path(spool_dir, program);
    g_autofree char *name = g_build_filename(path, "epoch", NULL);
    g_autofree char *text = NULL;
    g_autoptr(GError) why = NULL;

    if (!g_file_get_contents(name, &text, NULL, &why)) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND, "%s", why->message);
        return NULL;
    }
    g_strchomp(text);
    if (strlen(text) != 16 || strspn(text, "0123456789abcdef") != 16) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_CORRUPT, "%s: not 16 hex digits", name);
        return NULL;
    }
    return g_steal_pointer(&text);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char **journal_programs(const char *spool_dir, GError **error)
{
    g_autofree char *path = g_build_filename(spool_dir, "journal", NULL);
    g_autoptr(GError) why = NULL;
    g_autoptr(GDir) dir = g_dir_open(path, 0, &why);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    const char *name;

    if (!dir) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND, "%s", why->message);
        return NULL;
    }
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *below = g_build_filename(path, name, "epoch", NULL);
        if (g_file_test(below, G_FILE_TEST_EXISTS))
            g_ptr_array_add(names, g_strdup(name));
    }
    g_ptr_array_sort(names, compare_names);
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&names), FALSE);
}
