/* SPDX-License-Identifier: MIT */
#include "lib/service/counters.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/error.h"

/* In a new file: who has the elder one mapped keeps it whole. Its room is taken at once, so that a full disk is told here and
 * not by a signal. */
Counter *counters_make(const char *path, guint n, GError **error)
{
    g_autofree char *fresh = g_strconcat(path, ".new", NULL);
    gsize length = n * sizeof(Counter);
    void *map = MAP_FAILED;

    unlink(fresh);
    int fd = open(fresh, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
    int result = fd < 0 ? errno : posix_fallocate(fd, 0, (off_t)length);
    if (result == 0) {
        map = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        result = map == MAP_FAILED || rename(fresh, path) < 0 ? errno : 0;
    }
    if (fd >= 0)
        close(fd);
    if (result == 0)
        return map;
    if (map != MAP_FAILED)
        munmap(map, length);
    error_set_errno(error, result, "make", path);
    return NULL;
}

gboolean counters_read(const char *path, guint64 *values, guint n, GError **error)
{
    gsize length = n * sizeof *values;
    g_autofree guint64 *found = g_malloc(length + 1);
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return error_set_errno(error, errno, "open", path);
    ssize_t size = read(fd, found, length + 1);
    close(fd);
    if (size != (ssize_t)length) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_CORRUPT,
                    "%s: not the counters of this version", path);
        return FALSE;
    }
    memcpy(values, found, length);
    return TRUE;
}

void counters_unmap(Counter *counters, guint n)
{
    if (counters)
        munmap((void *)(guintptr)counters, n * sizeof(Counter));
}
