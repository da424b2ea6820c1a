/* SPDX-License-Identifier: MIT */
#include "lib/journal/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/journal/folder.h"
#include "lib/journal/segment.h"

#define READ_AHEAD (1u << 20)
G_STATIC_ASSERT(READ_AHEAD >= SEGMENT_RECORD_MAX);

struct JournalReader {
    char *path;
    FolderCommitted *committed; /* NULL until the writer has made it */
    guint64 after;              /* records up to here are passed over */
    guint64 next_seq;           /* the record at the read position */
    guint64 segment;            /* first number of the open segment */
    int fd;                     /* -1: none is open */
    off_t offset;               /* where buffer ends in the segment */
    GByteArray *buffer;
    gsize at;         /* read position in buffer */
    GString *current; /* the JSON handed out */
};

JournalReader *journal_reader_open(const char *spool_dir, const char *program, guint64 after,
                                   GError **error)
{
    g_autoptr(JournalReader) reader = g_new0(JournalReader, 1);

    reader->fd = -1;
    reader->path = folder_path(spool_dir, program);
    reader->after = after;
    reader->buffer = g_byte_array_new();
    reader->current = g_string_new(NULL);
    if (!g_file_test(reader->path, G_FILE_TEST_IS_DIR)) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND, "%s: no journal here",
                    reader->path);
        return NULL;
    }
    return g_steal_pointer(&reader);
}

void journal_reader_close(JournalReader *reader)
{
    if (!reader)
        return;
    if (reader->fd >= 0)
        close(reader->fd);
    folder_unmap(reader->committed);
    g_byte_array_unref(reader->buffer);
    g_string_free(reader->current, TRUE);
    g_free(reader->path);
    g_free(reader);
}

static gboolean open_segment(JournalReader *reader, guint64 first, GError **error)
{
    g_autofree char *name = folder_segment_path(reader->path, first);
    int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0)
        return error_set_errno(error, errno, "open", name);
    if (reader->fd >= 0)
        close(reader->fd);
    reader->fd = fd;
    reader->segment = reader->next_seq = first;
    reader->offset = 0;
    reader->at = 0;
    g_byte_array_set_size(reader->buffer, 0);
    return TRUE;
}

/* The segment that holds the first record after `after', or else the oldest. FALSE without error: there
 * is none. */
static gboolean open_first(JournalReader *reader, GError **error)
{
    g_autoptr(GArray) segments = folder_segments(reader->path, error);
    guint64 first = 0;

    for (guint i = 0; segments && i < segments->len; i++) {
        guint64 candidate = g_array_index(segments, guint64, i);
        if (i == 0 || candidate <= reader->after + 1)
            first = candidate;
    }
    return first && open_segment(reader, first, error);
}

/* Drops what was read and reads on behind it. */
static gboolean refill(JournalReader *reader, GError **error)
{
    g_byte_array_remove_range(reader->buffer, 0, (guint)reader->at);
    reader->at = 0;
    /* What lies behind a whole record may have been read before it was written. */
    reader->offset -= reader->buffer->len;
    g_byte_array_set_size(reader->buffer, READ_AHEAD);
    ssize_t n = pread(reader->fd, reader->buffer->data, READ_AHEAD, reader->offset);
    g_byte_array_set_size(reader->buffer, n < 0 ? 0 : (guint)n);
    if (n < 0)
        return error_set_errno(error, errno, "read", reader->path);
    reader->offset += n;
    return TRUE;
}

static SegmentRead read_here(JournalReader *reader, JournalRecord *record, gsize *used)
{
    return segment_read(reader->buffer->data + reader->at, reader->buffer->len - reader->at,
                        reader->next_seq, record, used);
}

/* The least segment number above the open one, or 0. */
static guint64 following_segment(JournalReader *reader)
{
    g_autoptr(GArray) segments = folder_segments(reader->path, NULL);

    for (guint i = 0; segments && i < segments->len; i++)
        if (g_array_index(segments, guint64, i) > reader->segment)
            return g_array_index(segments, guint64, i);
    return 0;
}

/* A committed record that cannot be read here is the first of the next segment, or damaged. */
static gboolean next_segment(JournalReader *reader, GError **error)
{
    guint64 following = following_segment(reader);

    if (following == reader->next_seq)
        return open_segment(reader, following, error);
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_CORRUPT,
                "%s: record %" G_GUINT64_FORMAT " is damaged", reader->path, reader->next_seq);
    return FALSE;
}

static void hand_out(JournalReader *reader, const JournalRecord *found, JournalRecord *record)
{
    g_string_truncate(reader->current, 0);
    g_string_append_len(reader->current, found->json, (gssize)found->length);
    *record = *found;
    record->json = reader->current->str;
}

/* TRUE when the writer says that the record at the read position is durable. */
static gboolean is_committed(JournalReader *reader)
{
    if (!reader->committed)
        reader->committed = folder_map_committed(reader->path, FALSE, NULL);
    return reader->committed && reader->next_seq <= atomic_load(reader->committed);
}

JournalRead journal_reader_next(JournalReader *reader, JournalRecord *record, GError **error)
{
    g_autoptr(GError) why = NULL;
    gboolean refilled = FALSE;
    JournalRecord found;
    gsize used;

    if (reader->fd < 0 && !open_first(reader, &why)) {
        if (!why)
            return JOURNAL_READ_END;
        g_propagate_error(error, g_steal_pointer(&why));
        return JOURNAL_READ_FAILED;
    }
    while (is_committed(reader)) {
        if (read_here(reader, &found, &used) == SEGMENT_RECORD) {
            reader->at += used;
            reader->next_seq++;
            refilled = FALSE;
            if (found.seq <= reader->after)
                continue;
            hand_out(reader, &found, record);
            return JOURNAL_READ_RECORD;
        }
        if (!(refilled ? next_segment(reader, error) : refill(reader, error)))
            return JOURNAL_READ_FAILED;
        refilled = !refilled;
    }
    return JOURNAL_READ_END;
}

guint64 journal_reader_skip(JournalReader *reader)
{
    guint64 following = following_segment(reader);
    struct stat st;

    if (!following || reader->fd < 0 || fstat(reader->fd, &st) < 0)
        return 0;
    off_t position = reader->offset - (off_t)(reader->buffer->len - reader->at);
    return open_segment(reader, following, NULL) ? (guint64)(st.st_size - position) : 0;
}

guint journal_reader_drop(JournalReader *reader, guint64 applied)
{
    g_autoptr(GArray) segments = folder_segments(reader->path, NULL);
    guint dropped = 0;

    for (guint i = 0; segments && i + 1 < segments->len; i++) {
        if (g_array_index(segments, guint64, i + 1) - 1 > applied)
            break;
        g_autofree char *name =
            folder_segment_path(reader->path, g_array_index(segments, guint64, i));
        dropped += unlink(name) == 0;
    }
    return dropped;
}
