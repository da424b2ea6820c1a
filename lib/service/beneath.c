/* SPDX-License-Identifier: MIT */
#include "lib/service/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <unistd.h>

#define SAFE (O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)

int beneath_open(const char *directory, const char *path, int flags)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    int at = open(directory, O_RDONLY | O_DIRECTORY | SAFE);

    for (guint i = 0; at >= 0 && parts[i]; i++) {
        int next = openat(at, parts[i], SAFE | (parts[i + 1] ? O_RDONLY | O_DIRECTORY : flags));
        int why = errno;
        close(at);
        errno = why;
        at = next;
    }
    return at;
}

guint beneath_count(const char *directory, guint depth, guint most)
{
    g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
    const char *name;
    guint n = 0;

    while (dir && n < most && (name = g_dir_read_name(dir))) {
        g_autofree char *below = depth > 0 ? g_build_filename(directory, name, NULL) : NULL;
        n += below ? beneath_count(below, depth - 1, most - n) : 1;
    }
    return n;
}
