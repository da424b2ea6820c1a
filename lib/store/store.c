/* SPDX-License-Identifier: MIT */
#include "lib/store/store.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "lib/base/error.h"
#include "lib/base/id.h"
#include "lib/seal/digest.h"
#include "lib/store/record.h"

#define DAY_SECONDS 86400
#define DAY_NAME    "%Y%m%d"
#define SUFFIX      ".zst"

/* A part of a UTC time as text. */
static char *time_text(gint64 seconds, const char *format)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(seconds);
    return g_date_time_format(time, format);
}

char *store_path(guint64 id)
{
    g_autofree char *folder = time_text(id_seconds(id), DAY_NAME "/%H");
    return g_strdup_printf("%s/%" G_GUINT64_FORMAT SUFFIX, folder, id);
}

static char *path_of(const char *spool_dir, guint64 id)
{
    g_autofree char *below = store_path(id);

    return g_build_filename(spool_dir, "store", below, NULL);
}

static gboolean corrupt(const char *path, const char *why, GError **error)
{
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_CORRUPT, "%s: %s", path, why);
    return FALSE;
}

/* Decompresses into exactly size octets. */
static GBytes *decompress(const char *path, const char *data, gsize length, gsize size,
                          GError **error)
{
    g_autofree guint8 *octets = g_malloc(size + 1);
    size_t got = ZSTD_decompress(octets, size + 1, data, length);

    if (ZSTD_isError(got) || got != size) {
        corrupt(path, ZSTD_isError(got) ? ZSTD_getErrorName(got) : "wrong size", error);
        return NULL;
    }
    return g_bytes_new_take(g_steal_pointer(&octets), size);
}

/* The file's octets; error of our own domain. */
static gboolean load(const char *path, char **data, gsize *length, GError **error)
{
    g_autoptr(GError) why = NULL;

    if (g_file_get_contents(path, data, length, &why))
        return TRUE;
    gboolean absent = g_error_matches(why, G_FILE_ERROR, G_FILE_ERROR_NOENT);
    g_set_error(error, OUTRIDER_ERROR, absent ? OUTRIDER_ERROR_NOT_FOUND : OUTRIDER_ERROR_IO, "%s",
                why->message);
    return FALSE;
}

static gboolean has_digest(GBytes *bytes, const char *wanted)
{
    g_autoptr(Digest) digest = digest_new();
    char text[DIGEST_TEXT_LENGTH];

    digest_add(digest, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    digest_finish(digest, text);
    return g_str_equal(text, wanted);
}

GBytes *store_read(const char *spool_dir, guint64 id, gsize max, StoreHeader *header,
                   GError **error)
{
    g_autofree char *path = path_of(spool_dir, id);
    g_autofree char *data = NULL;
    gsize length = 0;
    StoreRecord record;

    if (!load(path, &data, &length, error))
        return NULL;
    if (!record_decode((const guint8 *)data, length, &record) || record.header.id != id) {
        corrupt(path, "no header record of this message", error);
        return NULL;
    }
    if (record.size > max) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_TOO_LARGE,
                    "%s: %" G_GUINT64_FORMAT " octets, allowed are %" G_GSIZE_FORMAT, path,
                    record.size, max);
        return NULL;
    }
    g_autoptr(GBytes) bytes =
        decompress(path, data + RECORD_LENGTH, length - RECORD_LENGTH, record.size, error);
    if (!bytes)
        return NULL;
    if (!has_digest(bytes, record.sha256)) {
        corrupt(path, "the digest differs", error);
        return NULL;
    }
    if (header)
        *header = record.header;
    return g_steal_pointer(&bytes);
}

/* The record that a stream begins with. */
static gboolean read_record(FILE *file, guint64 id, StoreRecord *record)
{
    guint8 frame[RECORD_LENGTH];

    return fread(frame, 1, sizeof frame, file) == sizeof frame &&
           record_decode(frame, sizeof frame, record) && record->header.id == id;
}

/* Decompresses until length octets are there, or the stream ends. */
static gboolean decompress_begin(FILE *file, const char *path, GByteArray *octets, gsize length,
                                 GError **error)
{
    char data[4096];
    ZSTD_DStream *stream = ZSTD_createDStream();
    size_t hint = 1;

    g_byte_array_set_size(octets, (guint)length);
    ZSTD_outBuffer out = {octets->data, length, 0};
    while (hint != 0 && !ZSTD_isError(hint) && out.pos < length) {
        size_t got = fread(data, 1, sizeof data, file);
        ZSTD_inBuffer in = {data, got, 0};
        if (got == 0)
            break;
        while (in.pos < in.size && out.pos < length && !ZSTD_isError(hint))
            hint = ZSTD_decompressStream(stream, &out, &in);
    }
    ZSTD_freeDStream(stream);
    g_byte_array_set_size(octets, (guint)out.pos);
    return !ZSTD_isError(hint) || corrupt(path, ZSTD_getErrorName(hint), error);
}

GBytes *store_read_begin(const char *spool_dir, guint64 id, gsize length, GError **error)
{
    g_autofree char *path = path_of(spool_dir, id);
    g_autoptr(GByteArray) octets = g_byte_array_new();
    FILE *file = fopen(path, "re");
    StoreRecord record;

    if (!file) {
        g_set_error(error, OUTRIDER_ERROR,
                    errno == ENOENT ? OUTRIDER_ERROR_NOT_FOUND : OUTRIDER_ERROR_IO, "%s: %s", path,
                    g_strerror(errno));
        return NULL;
    }
    gboolean good =
        read_record(file, id, &record) || corrupt(path, "no header record of this message", error);
    if (good) {
        length = MIN(length, record.size);
        good = decompress_begin(file, path, octets, length, error) &&
               (octets->len == length || corrupt(path, "it ends early", error));
    }
    fclose(file);
    return good ? g_byte_array_free_to_bytes(g_steal_pointer(&octets)) : NULL;
}

/* Removes a directory with what is in it, depth more levels down; counts stored messages. */
static gboolean remove_tree(const char *path, guint depth, guint64 *removed, GError **error)
{
    g_autoptr(GError) why = NULL;
    g_autoptr(GDir) dir = g_dir_open(path, 0, &why);
    gboolean good = TRUE;
    const char *name;

    if (!dir) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_IO, "%s", why->message);
        return FALSE;
    }
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *below = g_build_filename(path, name, NULL);
        g_autoptr(GError) reason = NULL;
        if (depth > 0 && g_file_test(below, G_FILE_TEST_IS_DIR))
            remove_tree(below, depth - 1, removed, &reason);
        else if (unlink(below) < 0)
            error_set_errno(&reason, errno, "remove", below);
        else if (g_str_has_suffix(name, SUFFIX))
            (*removed)++;
        if (reason && good) {
            good = FALSE;
            g_propagate_error(error, g_steal_pointer(&reason));
        }
    }
    if (good && rmdir(path) < 0)
        return error_set_errno(error, errno, "remove", path);
    return good;
}

static gboolean is_day(const char *name)
{
    return strlen(name) == 8 && strspn(name, "0123456789") == 8;
}

gboolean store_remove(const char *spool_dir, guint64 id, GError **error)
{
    g_autofree char *path = path_of(spool_dir, id);

    return unlink(path) == 0 || errno == ENOENT || error_set_errno(error, errno, "remove", path);
}

gboolean store_expire(const char *spool_dir, gint64 now, guint days, guint64 *removed,
                      GError **error)
{
    g_autofree char *store = g_build_filename(spool_dir, "store", NULL);
    g_autofree char *first_kept = time_text(now - (gint64)days * DAY_SECONDS, DAY_NAME);
    g_autoptr(GDir) dir = g_dir_open(store, 0, NULL);
    g_autoptr(GError) first = NULL;
    guint64 count = 0;
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        if (!is_day(name) || strcmp(name, first_kept) >= 0)
            continue;
        g_autofree char *path = g_build_filename(store, name, NULL);
        remove_tree(path, 1, &count, first ? NULL : &first);
    }
    *removed = count;
    if (first) {
        g_propagate_error(error, g_steal_pointer(&first));
        return FALSE;
    }
    return TRUE;
}

gboolean store_count_days(const char *spool_dir, gint64 now, guint days, guint *found,
                          guint *overdue, GError **error)
{
    g_autofree char *store = g_build_filename(spool_dir, "store", NULL);
    g_autofree char *first_kept = time_text(now - (gint64)days * DAY_SECONDS, DAY_NAME);
    g_autoptr(GError) why = NULL;
    g_autoptr(GDir) dir = g_dir_open(store, 0, &why);
    const char *name;

    if (!dir) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_IO, "%s", why->message);
        return FALSE;
    }
    *found = *overdue = 0;
    while ((name = g_dir_read_name(dir))) {
        if (!is_day(name))
            continue;
        (*found)++;
        *overdue += strcmp(name, first_kept) < 0;
    }
    return TRUE;
}
