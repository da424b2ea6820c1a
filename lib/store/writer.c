/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "lib/base/error.h"
#include "lib/seal/digest.h"
#include "lib/store/record.h"
#include "lib/store/store.h"

#define LEVEL        1 /* 3 takes half as long again, or twice, for 6 % less */
#define BUFFER_SIZE  65536
#define DIRECTORY_OF 02770

struct StoreWriter {
    int fd;          /* -1: none */
    char *below;     /* below <spool>/store */
    char *path;      /* where it will be */
    char *temporary; /* where it is until then; NULL: there already */
    StoreRecord record;
    Digest *digest;
    ZSTD_CCtx *compressor;
    guint8 *buffer;
};

/* A file that another copy of the message has replaced meanwhile has no name any more. */
static void drop_file(StoreWriter *writer)
{
    struct stat st;

    if (fstat(writer->fd, &st) == 0 && st.st_nlink > 0)
        unlink(writer->temporary ? writer->temporary : writer->path);
    close(writer->fd);
}

void store_writer_abort(StoreWriter *writer)
{
    if (!writer)
        return;
    if (writer->fd >= 0)
        drop_file(writer);
    g_free(writer->below);
    g_free(writer->path);
    g_free(writer->temporary);
    digest_free(writer->digest);
    ZSTD_freeCCtx(writer->compressor);
    g_free(writer->buffer);
    g_free(writer);
}

static gboolean make_directory(const char *path, GError **error)
{
    if (mkdir(path, DIRECTORY_OF) < 0 && errno != EEXIST)
        return error_set_errno(error, errno, "make directory", path);
    return TRUE;
}

/* ext4 looks for a free inode from the directory's own block group on, and walks past each that was freed
 * in the last seconds, as those of Postfix's queue files are: ten times the cost of all else here. A
 * directory with this mark gets each subdirectory in a group of its own. Elsewhere it means nothing. */
static void spread_hours(const char *day)
{
    int fd = open(day, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int flags = 0;

    if (fd < 0)
        return;
    if (ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0) {
        flags |= FS_TOPDIR_FL;
        (void)ioctl(fd, FS_IOC_SETFLAGS, &flags);
    }
    close(fd);
}

/* The two directories above path, and the store's own. */
static gboolean make_directories(const char *path, GError **error)
{
    g_autofree char *hour = g_path_get_dirname(path);
    g_autofree char *day = g_path_get_dirname(hour);
    g_autofree char *store = g_path_get_dirname(day);

    if (!make_directory(store, error) || !make_directory(day, error))
        return FALSE;
    spread_hours(day);
    return make_directory(hour, error);
}

static gboolean write_all(int fd, const guint8 *data, gsize length, const char *path,
                          GError **error)
{
    while (length > 0) {
        ssize_t written = write(fd, data, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return error_set_errno(error, errno, "write", path);
        data += written;
        length -= (gsize)written;
    }
    return TRUE;
}

static int open_new(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
}

/* Opens the file, with room for the header record; directories are made when missing. Where a file stands
 * already, of a copy that the hop's retry brings again, it stays until this one is whole. */
static gboolean open_file(StoreWriter *writer, GError **error)
{
    static const guint8 room[RECORD_LENGTH];
    const char *path = writer->path;

    writer->fd = open_new(path);
    if (writer->fd < 0 && errno == ENOENT) {
        if (!make_directories(path, error))
            return FALSE;
        writer->fd = open_new(path);
    }
    if (writer->fd < 0 && errno == EEXIST) {
        path = writer->temporary = g_strconcat(writer->path, ".XXXXXX", NULL);
        writer->fd = g_mkstemp_full(writer->temporary, O_WRONLY | O_CLOEXEC, 0640);
    }
    if (writer->fd < 0)
        return error_set_errno(error, errno, "open", path);
    return write_all(writer->fd, room, sizeof room, path, error);
}

StoreWriter *store_writer_open(const char *spool_dir, const StoreHeader *header, GError **error)
{
    g_autoptr(StoreWriter) writer = g_new0(StoreWriter, 1);

    writer->fd = -1;
    writer->record.header = *header;
    writer->below = store_path(header->id);
    writer->path = g_build_filename(spool_dir, "store", writer->below, NULL);
    writer->digest = digest_new();
    writer->buffer = g_malloc(BUFFER_SIZE);
    writer->compressor = ZSTD_createCCtx();
    if (!writer->compressor ||
        ZSTD_isError(ZSTD_CCtx_setParameter(writer->compressor, ZSTD_c_compressionLevel, LEVEL))) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INTERNAL, "zstd cannot be started");
        return NULL;
    }
    return open_file(writer, error) ? g_steal_pointer(&writer) : NULL;
}

/* Compresses data; how says whether the frame goes on or ends. */
static gboolean compress(StoreWriter *writer, const void *data, gsize length, ZSTD_EndDirective how,
                         GError **error)
{
    ZSTD_inBuffer in = {.src = data, .size = length};
    size_t left;

    do {
        ZSTD_outBuffer out = {.dst = writer->buffer, .size = BUFFER_SIZE};
        left = ZSTD_compressStream2(writer->compressor, &out, &in, how);
        if (ZSTD_isError(left)) {
            g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_IO, "compress %s: %s", writer->path,
                        ZSTD_getErrorName(left));
            return FALSE;
        }
        if (!write_all(writer->fd, writer->buffer, out.pos, writer->path, error))
            return FALSE;
    } while (in.pos < in.size || (how == ZSTD_e_end && left > 0));
    return TRUE;
}

gboolean store_writer_add(StoreWriter *writer, const void *data, gsize length, GError **error)
{
    digest_add(writer->digest, data, length);
    writer->record.size += length;
    return compress(writer, data, length, ZSTD_e_continue, error);
}

static gboolean finish(StoreWriter *writer, GError **error)
{
    guint8 frame[RECORD_LENGTH];

    if (!compress(writer, NULL, 0, ZSTD_e_end, error))
        return FALSE;
    digest_finish(writer->digest, writer->record.sha256);
    record_encode(&writer->record, frame);
    if (pwrite(writer->fd, frame, sizeof frame, 0) != sizeof frame)
        return error_set_errno(error, errno, "write", writer->path);
    if (writer->temporary && rename(writer->temporary, writer->path) < 0)
        return error_set_errno(error, errno, "rename", writer->temporary);
    close(writer->fd);
    writer->fd = -1;
    return TRUE;
}

gboolean store_writer_commit(StoreWriter *writer, char **path, GError **error)
{
    g_autoptr(StoreWriter) owned = writer;

    if (!finish(owned, error))
        return FALSE;
    *path = g_steal_pointer(&owned->below);
    return TRUE;
}
