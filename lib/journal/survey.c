/* SPDX-License-Identifier: MIT */
#include "lib/journal/survey.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/journal/folder.h"
#include "lib/journal/reader.h"

#define BLOCK       4096 /* no record has so many zeros in a row */
#define DISK_SECTOR 512  /* the unit of st_blocks */

/* One look at a journal's directory. */
typedef struct {
    char *path;
    GArray *firsts; /* of guint64 */
    guint64 committed;
} Look;

static void look_clear(Look *look)
{
    g_free(look->path);
    g_clear_pointer(&look->firsts, g_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Look, look_clear)

static gboolean look_at(const char *spool_dir, const char *program, Look *look, GError **error)
{
    look->path = folder_path(spool_dir, program);
    look->firsts = folder_segments(look->path, error);
    if (!look->firsts)
        return FALSE;
    FolderCommitted *committed = folder_map_committed(look->path, FALSE, error);
    if (!committed)
        return FALSE;
    look->committed = atomic_load(committed);
    folder_unmap(committed);
    return TRUE;
}

static guint64 first_of(const Look *look, guint segment)
{
    return g_array_index(look->firsts, guint64, segment);
}

/* The number behind a segment's last durable record. */
static guint64 end_of(const Look *look, guint segment)
{
    guint64 end = look->committed + 1;

    return segment + 1 < look->firsts->len ? MIN(first_of(look, segment + 1), end) : end;
}

static gboolean is_blank(int fd, off_t block)
{
    static const guint8 zeros[BLOCK];
    guint8 data[BLOCK];
    ssize_t n = pread(fd, data, BLOCK, block * BLOCK);

    return n <= 0 || memcmp(data, zeros, (gsize)n) == 0;
}

/* Where the preallocated zeros of a segment begin, to a block. */
static guint64 written_octets(int fd, off_t size)
{
    off_t low = 0, high = (size + BLOCK - 1) / BLOCK;

    while (low < high) {
        off_t middle = low + (high - low) / 2;
        if (is_blank(fd, middle))
            high = middle;
        else
            low = middle + 1;
    }
    return (guint64)MIN(low * BLOCK, size);
}

/* A segment that is gone meanwhile takes nothing. */
static void measure(const Look *look, guint segment, guint64 *disk, guint64 *written)
{
    g_autofree char *name = folder_segment_path(look->path, first_of(look, segment));
    int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;

    *disk = *written = 0;
    if (fd >= 0 && fstat(fd, &st) == 0) {
        *disk = (guint64)st.st_blocks * DISK_SECTOR;
        *written = written_octets(fd, st.st_size);
    }
    if (fd >= 0)
        close(fd);
}

static gint64 time_after(const char *spool_dir, const char *program, guint64 seq)
{
    g_autoptr(JournalReader) reader = journal_reader_open(spool_dir, program, seq, NULL);
    JournalRecord record;

    if (!reader || journal_reader_next(reader, &record, NULL) != JOURNAL_READ_RECORD)
        return 0;
    return record.at_us;
}

gboolean journal_survey(const char *spool_dir, const char *program, JournalSurvey *survey,
                        GError **error)
{
    g_auto(Look) look = {0};
    guint64 disk, written;

    if (!look_at(spool_dir, program, &look, error))
        return FALSE;
    *survey = (JournalSurvey){.segments = look.firsts->len,
                              .first = look.firsts->len ? first_of(&look, 0) : look.committed + 1,
                              .committed = look.committed};
    for (guint i = 0; i < look.firsts->len; i++) {
        measure(&look, i, &disk, &written);
        survey->disk += disk;
    }
    if (survey->first <= survey->committed)
        survey->first_at_us = time_after(spool_dir, program, 0);
    return TRUE;
}

gboolean journal_backlog(const char *spool_dir, const char *program, guint64 applied,
                         JournalBacklog *backlog, GError **error)
{
    g_auto(Look) look = {0};
    guint64 disk, written;

    if (!look_at(spool_dir, program, &look, error))
        return FALSE;
    *backlog = (JournalBacklog){0};
    if (look.committed <= applied)
        return TRUE;
    backlog->records = look.committed - applied;
    backlog->oldest_at_us = time_after(spool_dir, program, applied);
    for (guint i = 0; i < look.firsts->len; i++) {
        guint64 first = first_of(&look, i), end = end_of(&look, i);
        if (end <= applied + 1 || end <= first)
            continue;
        measure(&look, i, &disk, &written);
        guint64 left = end - MAX(first, applied + 1);
        backlog->octets += (guint64)((double)written * (double)left / (double)(end - first));
    }
    return TRUE;
}
