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
