/* SPDX-License-Identifier: MIT */
/*
 * The writer. Callers put their records into the batch that gathers; whoever finds no commit under way
 * commits it for all:
 *
 *     append ──▶ gathering ──(first waiter, when no commit runs)──▶ write, fdatasync ──▶ done, wake all
 *     post   ──▶ gathering ──(flusher, at most 50 ms later)───────▶
 *
 * Numbers are given when a batch is committed, so a batch that fails leaves no gap. Its octets are cut
 * off again; if even that fails the journal takes nothing more until it is opened anew.
 */
#include "lib/journal/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/journal/folder.h"
#include "lib/journal/segment.h"

#define SEGMENT_SIZE   (G_GUINT64_CONSTANT(64) << 20)
#define SEGMENT_AGE_US (10 * 60 * G_TIME_SPAN_SECOND)
#define POST_DELAY_US  (50 * G_TIME_SPAN_MILLISECOND)
#define GATHER_MAX     (16u << 20) /* posted octets that may wait */
#define ROOM_SEGMENTS  4           /* preallocated only while there is room for so many */

typedef struct {
    guint references;
    GByteArray *records;
    gint64 since_us;
    guint posted; /* records that nobody waits for */
    gboolean done;
    GCond turn;    /* done, or one of those who wait may commit it */
    GError *error; /* why it failed */
} Batch;

struct Journal {
    char *path;
    JournalOptions options;
    int lock_fd;
    FolderCommitted *committed;
    GThread *flusher;

    GMutex mutex;  /* guards what follows */
    GCond changed; /* for the flusher and who closes */
    Batch *gathering;
    gboolean committing, broken, stopping;
    guint64 lost; /* posted records of commits that failed */
    gint64 space_looked_us;
    gboolean space_short;

    /* The committer's alone, while committing is set. */
    int fd;
    guint64 offset, next_seq;
    gint64 segment_since_us;
};

static Batch *batch_new(void)
{
    Batch *batch = g_new0(Batch, 1);

    batch->references = 1;
    batch->records = g_byte_array_new();
    batch->since_us = g_get_monotonic_time();
    g_cond_init(&batch->turn);
    return batch;
}

static void batch_unref(Batch *batch)
{
    if (--batch->references > 0)
        return;
    g_byte_array_unref(batch->records);
    g_clear_error(&batch->error);
    g_cond_clear(&batch->turn);
    g_free(batch);
}

/* What is preallocated, here and by the other programs, must not be what makes space short. */
static gboolean is_roomy(const Journal *journal)
{
    struct statvfs fs;

    if (statvfs(journal->path, &fs) < 0 ||
        journal->options.segment_size > G_MAXUINT64 / ROOM_SEGMENTS)
        return FALSE;
    guint64 free = (guint64)fs.f_bavail * fs.f_frsize;
    guint64 room = journal->options.segment_size * ROOM_SEGMENTS;
    return free >= room && free - room >= journal->options.min_free;
}

/* Opens the segment that starts with the next number; a file of that name holds nothing valid. */
static gboolean open_segment(Journal *journal, GError **error)
{
    g_autofree char *name = folder_segment_path(journal->path, journal->next_seq);
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);

    if (fd < 0)
        return error_set_errno(error, errno, "open", name);
    /* Only a help: without it fdatasync has more to do. */
    if (is_roomy(journal) && fallocate(fd, 0, 0, (off_t)journal->options.segment_size) < 0 &&
        ftruncate(fd, 0) < 0) {
        close(fd);
        return error_set_errno(error, errno, "truncate", name);
    }
    if (fsync(fd) < 0 || !folder_sync(journal->path, NULL)) {
        close(fd);
        return error_set_errno(error, errno, "sync", name);
    }
    journal->fd = fd;
    journal->offset = 0;
    journal->segment_since_us = g_get_monotonic_time();
    return TRUE;
}

/* Closes the segment at its last record. Failing to cut the zeros off does no harm. */
static void close_segment(Journal *journal)
{
    if (journal->fd < 0)
        return;
    if (ftruncate(journal->fd, (off_t)journal->offset) == 0)
        fdatasync(journal->fd);
    close(journal->fd);
    journal->fd = -1;
}

static gboolean rotate_if_due(Journal *journal, gsize coming, GError **error)
{
    gboolean full = journal->offset + coming > journal->options.segment_size;
    gboolean old =
        g_get_monotonic_time() - journal->segment_since_us > journal->options.segment_age_us;

    if (journal->fd >= 0 && (journal->offset == 0 || (!full && !old)))
        return TRUE;
    close_segment(journal);
    return open_segment(journal, error);
}

static gboolean write_all(int fd, const guint8 *data, gsize length, off_t offset)
{
    while (length > 0) {
        ssize_t n = pwrite(fd, data, length, offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return FALSE;
        data += n;
        length -= (gsize)n;
        offset += n;
    }
    return TRUE;
}

/* The committer's work, without the mutex. FALSE with *broken: the failed octets could not be cut off. */
static gboolean commit_records(Journal *journal, GByteArray *records, gboolean *broken,
                               GError **error)
{
    if (!rotate_if_due(journal, records->len, error))
        return FALSE;
    guint n = segment_number(records, journal->next_seq);
    if (write_all(journal->fd, records->data, records->len, (off_t)journal->offset) &&
        fdatasync(journal->fd) == 0) {
        journal->offset += records->len;
        journal->next_seq += n;
        atomic_store(journal->committed, journal->next_seq - 1);
        return TRUE;
    }
    error_set_errno(error, errno, "write", journal->path);
    *broken = ftruncate(journal->fd, (off_t)journal->offset) < 0 || fdatasync(journal->fd) < 0;
    return FALSE;
}

/* After a commit: those it was for go on, and one of those who came meanwhile commits for them. Nobody
 * else is woken: with many threads that would cost more than the commit. */
static void pass_turn(Journal *journal, Batch *done)
{
    g_cond_broadcast(&done->turn);
    if (journal->gathering)
        g_cond_signal(&journal->gathering->turn);
    if (journal->stopping || (journal->gathering && journal->gathering->posted))
        g_cond_broadcast(&journal->changed);
}

/* Commits what has gathered; called and left with the mutex held, nobody else committing. */
static void commit_gathered(Journal *journal)
{
    Batch *batch = g_steal_pointer(&journal->gathering);
    GError *error = NULL;
    gboolean broken = FALSE;

    journal->committing = TRUE;
    g_mutex_unlock(&journal->mutex);
    commit_records(journal, batch->records, &broken, &error);
    g_mutex_lock(&journal->mutex);
    journal->committing = FALSE;
    journal->broken |= broken;
    journal->lost += error ? batch->posted : 0;
    batch->error = error;
    batch->done = TRUE;
    pass_turn(journal, batch);
    batch_unref(batch);
}

/* Commits posted records that no waiting append has taken along. */
static gpointer flush(gpointer data)
{
    Journal *journal = data;

    g_mutex_lock(&journal->mutex);
    while (!journal->stopping) {
        if (!journal->gathering || !journal->gathering->posted || journal->committing) {
            g_cond_wait(&journal->changed, &journal->mutex);
            continue;
        }
        gint64 due = journal->gathering->since_us + POST_DELAY_US;
        if (g_get_monotonic_time() >= due)
            commit_gathered(journal);
        else
            g_cond_wait_until(&journal->changed, &journal->mutex, due);
    }
    g_mutex_unlock(&journal->mutex);
    return NULL;
}

/* Looks at most once a second; with the mutex held. */
static gboolean has_space(Journal *journal, GError **error)
{
    gint64 now = g_get_monotonic_time();
    struct statvfs fs;

    if (journal->options.min_free > 0 &&
        (!journal->space_looked_us || now - journal->space_looked_us > G_TIME_SPAN_SECOND)) {
        journal->space_looked_us = now;
        journal->space_short = statvfs(journal->path, &fs) == 0 &&
                               (guint64)fs.f_bavail * fs.f_frsize < journal->options.min_free;
    }
    if (!journal->space_short)
        return TRUE;
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_NO_SPACE,
                "%s: less than spool_min_free (%" G_GUINT64_FORMAT " octets) is free",
                journal->path, journal->options.min_free);
    return FALSE;
}

static gboolean may_append(Journal *journal, GError **error)
{
    if (journal->broken) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_IO,
                    "%s: an earlier write failed and could not be undone; restart the program",
                    journal->path);
        return FALSE;
    }
    return has_space(journal, error);
}

static gboolean check_entries(const JournalEntry *entries, guint n, GError **error)
{
    for (guint i = 0; i < n; i++) {
        gsize length = entries[i].length < 0 ? strlen(entries[i].json) : (gsize)entries[i].length;
        if (length > JOURNAL_JSON_MAX) {
            g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_TOO_LARGE,
                        "event of %zu octets: allowed are %d", length, JOURNAL_JSON_MAX);
            return FALSE;
        }
    }
    return TRUE;
}

/* Adds entries to the gathering batch and returns it, with the mutex held. */
static Batch *gather(Journal *journal, const JournalEntry *entries, guint n)
{
    if (!journal->gathering)
        journal->gathering = batch_new();
    for (guint i = 0; i < n; i++)
        segment_append(journal->gathering->records, &entries[i]);
    return journal->gathering;
}

static gboolean await_commit(Journal *journal, Batch *batch, GError **error)
{
    batch->references++;
    while (!batch->done) {
        if (journal->committing)
            g_cond_wait(&batch->turn, &journal->mutex);
        else
            commit_gathered(journal);
    }
    gboolean good = !batch->error;
    if (!good)
        g_propagate_error(error, g_error_copy(batch->error));
    batch_unref(batch);
    return good;
}

gboolean journal_append(Journal *journal, const JournalEntry *entries, guint n, GError **error)
{
    if (!check_entries(entries, n, error))
        return FALSE;
    g_mutex_lock(&journal->mutex);
    gboolean good =
        may_append(journal, error) && await_commit(journal, gather(journal, entries, n), error);
    g_mutex_unlock(&journal->mutex);
    return good;
}

gboolean journal_post(Journal *journal, const JournalEntry *entries, guint n, GError **error)
{
    if (!check_entries(entries, n, error))
        return FALSE;
    g_mutex_lock(&journal->mutex);
    gboolean good = may_append(journal, error);
    if (good && journal->gathering && journal->gathering->records->len > GATHER_MAX) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE,
                    "%s: the disk does not keep up", journal->path);
        good = FALSE;
    }
    if (good) {
        Batch *batch = gather(journal, entries, n);
        if (batch->posted == 0)
            g_cond_broadcast(&journal->changed);
        batch->posted += n;
    }
    g_mutex_unlock(&journal->mutex);
    return good;
}

guint64 journal_lost(Journal *journal)
{
    g_mutex_lock(&journal->mutex);
    guint64 lost = journal->lost;
    g_mutex_unlock(&journal->mutex);
    return lost;
}

gboolean journal_check_space(Journal *journal, GError **error)
{
    g_mutex_lock(&journal->mutex);
    gboolean good = may_append(journal, error);
    g_mutex_unlock(&journal->mutex);
    return good;
}

static gboolean take_lock(Journal *journal, GError **error)
{
    g_autofree char *name = g_build_filename(journal->path, "lock", NULL);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    journal->lock_fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (journal->lock_fd < 0)
        return error_set_errno(error, errno, "open", name);
    if (fcntl(journal->lock_fd, F_OFD_SETLK, &lock) == 0)
        return TRUE;
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_CONFLICT,
                "%s: another process writes this journal", journal->path);
    return FALSE;
}

/* Finds where the last segment's records end; *last is 0 when it has none. */
static gboolean scan_segment(const char *name, guint64 first, guint64 *last, gsize *end,
                             GError **error)
{
    g_autoptr(GError) why = NULL;
    g_autoptr(GMappedFile) file = g_mapped_file_new(name, FALSE, &why);
    JournalRecord record;
    guint64 seq = first;
    gsize used, at = 0;

    if (!file) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_IO, "%s", why->message);
        return FALSE;
    }
    const guint8 *data = (const guint8 *)g_mapped_file_get_contents(file);
    gsize length = g_mapped_file_get_length(file);
    while (segment_read(data + at, length - at, seq, &record, &used) == SEGMENT_RECORD) {
        at += used;
        seq++;
    }
    *last = seq > first ? seq - 1 : 0;
    *end = at;
    return TRUE;
}

/* Cuts a torn tail. Records that were committed and cannot be read any more are left for the reader to
 * report; writing goes on behind them. */
static gboolean recover_last(Journal *journal, guint64 first, GError **error)
{
    g_autofree char *name = folder_segment_path(journal->path, first);
    guint64 committed = atomic_load(journal->committed);
    guint64 last = 0;
    gsize end = 0;

    if (!scan_segment(name, first, &last, &end, error))
        return FALSE;
    guint64 found = last ? last : first - 1;
    journal->next_seq = MAX(found, committed) + 1;
    if (committed > found)
        return TRUE;
    int fd = open(name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    gboolean cut = fd >= 0 && ftruncate(fd, (off_t)end) == 0 && fdatasync(fd) == 0;
    if (!cut)
        error_set_errno(error, errno, "cut", name);
    if (fd >= 0)
        close(fd);
    if (cut)
        atomic_store(journal->committed, found);
    return cut;
}

static gboolean recover(Journal *journal, GError **error)
{
    g_autoptr(GArray) segments = folder_segments(journal->path, error);

    if (!segments)
        return FALSE;
    journal->next_seq = atomic_load(journal->committed) + 1;
    if (segments->len > 0 &&
        !recover_last(journal, g_array_index(segments, guint64, segments->len - 1), error))
        return FALSE;
    return open_segment(journal, error);
}

static void set_options(Journal *journal, const JournalOptions *options)
{
    if (options)
        journal->options = *options;
    if (journal->options.segment_size == 0)
        journal->options.segment_size = SEGMENT_SIZE;
    if (journal->options.segment_age_us == 0)
        journal->options.segment_age_us = SEGMENT_AGE_US;
}

Journal *journal_open(const char *spool_dir, const char *program, const JournalOptions *options,
                      GError **error)
{
    g_autoptr(Journal) journal = g_new0(Journal, 1);

    g_mutex_init(&journal->mutex);
    g_cond_init(&journal->changed);
    journal->fd = journal->lock_fd = -1;
    journal->path = folder_path(spool_dir, program);
    set_options(journal, options);
    if (g_mkdir_with_parents(journal->path, 0770) < 0) {
        error_set_errno(error, errno, "create", journal->path);
        return NULL;
    }
    if (!take_lock(journal, error) || !folder_ensure_epoch(journal->path, error) ||
        !(journal->committed = folder_map_committed(journal->path, TRUE, error)) ||
        !recover(journal, error))
        return NULL;
    journal->flusher = g_thread_new("journal", flush, journal);
    return g_steal_pointer(&journal);
}

static void finish(Journal *journal)
{
    g_mutex_lock(&journal->mutex);
    journal->stopping = TRUE;
    while (journal->committing)
        g_cond_wait(&journal->changed, &journal->mutex);
    if (journal->gathering)
        commit_gathered(journal);
    g_cond_broadcast(&journal->changed);
    g_mutex_unlock(&journal->mutex);
    g_thread_join(journal->flusher);
}

void journal_close(Journal *journal)
{
    if (!journal)
        return;
    if (journal->flusher)
        finish(journal);
    close_segment(journal);
    folder_unmap(journal->committed);
    if (journal->lock_fd >= 0)
        close(journal->lock_fd);
    g_mutex_clear(&journal->mutex);
    g_cond_clear(&journal->changed);
    g_free(journal->path);
    g_free(journal);
}
