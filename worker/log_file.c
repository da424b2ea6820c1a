/* SPDX-License-Identifier: MIT */
/*
 * A log file. It is known by its inode and its first line, so that a rotated file is found again under
 * its new name:
 *
 *     mail.log ──rename──▶ mail.log.1   read to its end, then the new mail.log from the start
 *     mail.log ──truncate─▶ mail.log    shorter than what was read: from the start
 *
 * A position is `file INODE HASH OFFSET'.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "worker/log_source.h"

#define READ_SIZE    65536
#define IDENTITY_MAX 512 /* octets of the first line that count */
#define LAST_LOOKS   10  /* rounds at a rotated file's end before it is left */

typedef struct {
    char *path;
    char *tag;
    int fd;
    ino_t inode;
    guint first_line;   /* hash; 0: there is no whole line yet */
    off_t offset;       /* of buffer's start */
    GByteArray *buffer; /* read, from offset on */
    gsize at;           /* how much of it was handed out */
    guint looks;        /* rounds without news since the file was renamed */
} LogFile;

/* Hash of the first line, or 0 when it is not complete. */
static guint first_line_hash(int fd)
{
    char head[IDENTITY_MAX];
    ssize_t n = pread(fd, head, sizeof(head), 0);
    guint hash = 5381;

    if (n <= 0 || (!memchr(head, '\n', (size_t)n) && n < IDENTITY_MAX))
        return 0;
    for (ssize_t i = 0; i < n && head[i] != '\n'; i++)
        hash = hash * 33 + (guchar)head[i];
    return hash ? hash : 1;
}

static void close_file(LogFile *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
    file->looks = 0;
    file->first_line = 0;
    file->offset = 0;
    file->at = 0;
    g_byte_array_set_size(file->buffer, 0);
}

static gboolean open_file(LogFile *file, const char *path, off_t offset, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;

    if (fd < 0)
        return error_set_errno(error, errno, "open", path);
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "mail_log: %s is not a file",
                    path);
        return FALSE;
    }
    close_file(file);
    file->fd = fd;
    file->inode = st.st_ino;
    file->first_line = first_line_hash(fd);
    file->offset = offset;
    return TRUE;
}

/* Whether a path is the file of a position, with at least offset octets. */
static gboolean is_file(const char *path, guint64 inode, guint hash, off_t offset)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;

    if (fd < 0)
        return FALSE;
    gboolean same = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_ino == inode &&
                    st.st_size >= offset && first_line_hash(fd) == hash;
    close(fd);
    return same;
}

/* The name that the file of a position has now: its own, or one that begins with it. NULL: gone. */
static char *find_file(const LogFile *file, guint64 inode, guint hash, off_t offset)
{
    g_autofree char *directory = g_path_get_dirname(file->path);
    g_autofree char *base = g_path_get_basename(file->path);
    g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
    const char *name;

    if (is_file(file->path, inode, hash, offset))
        return g_strdup(file->path);
    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(directory, name, NULL);
        if (g_str_has_prefix(name, base) && is_file(path, inode, hash, offset))
            return g_steal_pointer(&path);
    }
    return NULL;
}

static void go_to_position(LogFile *file, const char *position)
{
    g_auto(GStrv) words = g_strsplit(position ? position : "", " ", -1);
    guint64 inode, hash, offset;

    if (g_strv_length(words) != 4 || strcmp(words[0], "file") != 0 ||
        !g_ascii_string_to_unsigned(words[1], 10, 0, G_MAXUINT64, &inode, NULL) ||
        !g_ascii_string_to_unsigned(words[2], 10, 0, G_MAXUINT, &hash, NULL) ||
        !g_ascii_string_to_unsigned(words[3], 10, 0, G_MAXINT64, &offset, NULL))
        return;
    g_autofree char *path = find_file(file, inode, (guint)hash, (off_t)offset);
    if (path)
        open_file(file, path, (off_t)offset, NULL);
}

gpointer log_file_open(const char *path, const char *tag, const char *position)
{
    LogFile *file = g_new0(LogFile, 1);

    file->fd = -1;
    file->path = g_strdup(path);
    file->tag = g_strdup(tag);
    file->buffer = g_byte_array_new();
    go_to_position(file, position);
    return file;
}

static void log_file_close(gpointer state)
{
    LogFile *file = state;

    close_file(file);
    g_byte_array_unref(file->buffer);
    g_free(file->path);
    g_free(file->tag);
    g_free(file);
}

static char *log_file_position(gpointer state)
{
    LogFile *file = state;

    if (file->fd < 0)
        return NULL;
    if (!file->first_line)
        file->first_line = first_line_hash(file->fd);
    return g_strdup_printf("file %llu %u %lld", (unsigned long long)file->inode, file->first_line,
                           (long long)file->offset + (long long)file->at);
}

/* The next whole line of the buffer, without its end. An overlong one counts as read. */
static gboolean take_line(LogFile *file, const char **line, gsize *length)
{
    while (file->at < file->buffer->len) {
        const char *start = (const char *)file->buffer->data + file->at;
        const char *end = memchr(start, '\n', file->buffer->len - file->at);
        if (!end)
            return FALSE;
        file->at += (gsize)(end - start) + 1;
        *line = start;
        *length = (gsize)(end - start);
        if (*length <= MAIL_LINE_MAX)
            return TRUE;
    }
    return FALSE;
}

/* Reads on; 0 at the end, -1 on failure. A line that never ends is not kept. */
static ssize_t read_more(LogFile *file)
{
    guint8 block[READ_SIZE];

    file->offset += (off_t)file->at;
    g_byte_array_remove_range(file->buffer, 0, (guint)file->at);
    file->at = 0;
    if (file->buffer->len > READ_SIZE) {
        file->offset += file->buffer->len;
        g_byte_array_set_size(file->buffer, 0);
    }
    ssize_t n = pread(file->fd, block, sizeof(block), file->offset + file->buffer->len);
    if (n > 0)
        g_byte_array_append(file->buffer, block, (guint)n);
    return n;
}

/* At the end: has the file been cut short, or has another taken its name? TRUE: read again. */
static gboolean look_for_rotation(LogFile *file)
{
    struct stat here, there;

    if (fstat(file->fd, &here) == 0 && here.st_size < file->offset + (off_t)file->buffer->len)
        return open_file(file, file->path, 0, NULL);
    if (stat(file->path, &there) < 0 || there.st_ino == file->inode) {
        file->looks = 0;
        return FALSE;
    }
    /* Postfix may go on writing to the renamed file until it is told. */
    if (++file->looks < LAST_LOOKS)
        return FALSE;
    return open_file(file, file->path, 0, NULL);
}

static LogSourceRead log_file_next(gpointer state, MailLine *out, GError **error)
{
    LogFile *file = state;
    gint64 now = g_get_real_time() / G_USEC_PER_SEC;
    const char *line;
    gsize length;

    if (file->fd < 0 && !open_file(file, file->path, 0, error))
        return LOG_SOURCE_FAILED;
    for (;;) {
        while (take_line(file, &line, &length))
            if (mail_line_parse(line, length, file->tag, now, out))
                return LOG_SOURCE_LINE;
        ssize_t n = read_more(file);
        if (n < 0) {
            error_set_errno(error, errno, "read", file->path);
            return LOG_SOURCE_FAILED;
        }
        if (n == 0 && !look_for_rotation(file))
            return LOG_SOURCE_END;
    }
}

const LogSourceKind log_file_kind = {log_file_next, log_file_position, log_file_close};
