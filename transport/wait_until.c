/* SPDX-License-Identifier: MIT */
#include "transport/wait_until.h"

#include <fcntl.h>
#include <unistd.h>

#include "lib/base/error.h"

#define TEXT_ROOM 24

static char *path_of(const char *directory, guint32 endpoint)
{
    return g_strdup_printf("%s/endpoint-%u.wait", directory, endpoint);
}

gint64 wait_until_left(const char *directory, guint32 endpoint, gint64 now)
{
    g_autofree char *path = path_of(directory, endpoint);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    char text[TEXT_ROOM] = "";
    gint64 until = 0;

    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0 || !g_ascii_string_to_signed(text, 10, 0, G_MAXINT64, &until, NULL))
        return 0;
    return until > now && until - now <= WAIT_MAX_SECONDS ? until - now : 0;
}

gboolean wait_until_set(const char *directory, guint32 endpoint, gint64 now, gint64 seconds,
                        GError **error)
{
    g_autofree char *path = path_of(directory, endpoint);
    g_autofree char *text =
        g_strdup_printf("%" G_GINT64_FORMAT, now + CLAMP(seconds, 0, WAIT_MAX_SECONDS));
    g_autoptr(GError) why = NULL;

    if (g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, &why))
        return TRUE;
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_IO, "%s", why->message);
    return FALSE;
}
