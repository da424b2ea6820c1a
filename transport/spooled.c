/* SPDX-License-Identifier: MIT */
#include "transport/spooled.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/error.h"

#define PIECE 65536

struct Spooled {
    char *directory;
    GString *memory; /* all, or what is not in the file yet */
    int fd;          /* -1: no file */
    gsize written;
};

Spooled *spooled_new(const char *directory)
{
    Spooled *spooled = g_new0(Spooled, 1);

    spooled->directory = g_strdup(directory);
    spooled->memory = g_string_new(NULL);
    spooled->fd = -1;
    return spooled;
}

void spooled_free(Spooled *spooled)
{
    if (!spooled)
        return;
    if (spooled->fd >= 0)
        close(spooled->fd);
    g_string_free(spooled->memory, TRUE);
    g_free(spooled->directory);
    g_free(spooled);
}

/* Not every file system has files without a name; then it loses its name at once. */
static int make_file(const char *directory)
{
    int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT))
        return fd;
    g_autofree char *path = g_build_filename(directory, "spooled-XXXXXX", NULL);
    fd = g_mkstemp_full(path, O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
        unlink(path);
    return fd;
}

/* Moves what is in memory to the file. */
static gboolean flush(Spooled *spooled, GError **error)
{
    gsize done = 0;

    if (spooled->fd < 0)
        spooled->fd = make_file(spooled->directory);
    if (spooled->fd < 0)
        return error_set_errno(error, errno, "make a file in", spooled->directory);
    while (done < spooled->memory->len) {
        ssize_t n = write(spooled->fd, spooled->memory->str + done, spooled->memory->len - done);
        if (n < 0 && errno != EINTR)
            return error_set_errno(error, errno, "write a file in", spooled->directory);
        done += n > 0 ? (gsize)n : 0;
    }
    spooled->written += done;
    g_string_truncate(spooled->memory, 0);
    return TRUE;
}

gboolean spooled_add(Spooled *spooled, const void *octets, gsize length, GError **error)
{
    g_string_append_len(spooled->memory, octets, (gssize)length);
    return spooled->memory->len <= SPOOLED_MEMORY || flush(spooled, error);
}

gboolean spooled_read(Spooled *spooled, int fd, gsize max, GError **error)
{
    g_autofree char *piece = g_malloc(PIECE);
    gsize total = 0;
    ssize_t n;

    while ((n = read(fd, piece, PIECE)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_set_errno(error, errno, "read", "the message");
        total += (gsize)n;
        if (total > max) {
            g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_TOO_LARGE,
                        "the message is larger than %" G_GSIZE_FORMAT " octets", max);
            return FALSE;
        }
        if (!spooled_add(spooled, piece, (gsize)n, error))
            return FALSE;
    }
    return TRUE;
}

static gssize read_at(gconstpointer context, gsize at, void *to, gsize room)
{
    const Spooled *spooled = context;

    if (at < spooled->written)
        return pread(spooled->fd, to, MIN(room, spooled->written - at), (off_t)at);
    memcpy(to, spooled->memory->str + at - spooled->written, room);
    return (gssize)room;
}

Source spooled_source(const Spooled *spooled)
{
    return (Source){
        .read = read_at, .context = spooled, .length = spooled->written + spooled->memory->len};
}
