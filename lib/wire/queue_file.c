/* SPDX-License-Identifier: MIT */
#include "lib/wire/queue_file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/error.h"

#define NUMBER_DIGITS_MAX 18
#define CREATED           "create_time="

enum {
    FIRST = 'C',
    ATTRIBUTE = 'A',
    SENDER = 'S',
    POINTER = 'p',
    CONTENT = 'M',
    PIECE = 'L', /* of a line that goes on in the next record */
    LINE = 'N',
    EXTRACTED = 'X',
    END = 'E'
};

typedef struct {
    guint8 type;
    const guint8 *data;
    gsize length;
    gsize size; /* with its head */
    guint64 at; /* where its data stand in the file */
} FileRecord;

/* Where reading stands. */
typedef struct {
    QueueFileRead reader;
    gpointer file;
    guint8 window[QUEUE_FILE_WINDOW];
    gsize have, used;
    guint64 start; /* of the window, in the file */
    guint count;
} Cursor;

gssize queue_file_pread(gpointer file, guint8 *buffer, gsize size, guint64 offset)
{
    return pread(*(const int *)file, buffer, size, (off_t)offset);
}

static gboolean damaged(GError **error, const char *why)
{
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_CORRUPT, "queue file: %s", why);
    return FALSE;
}

/* FALSE: the octets do not hold a whole record. */
static gboolean take_record(const guint8 *octets, gsize length, FileRecord *record)
{
    gsize at = 1, size = 0;

    for (guint shift = 0;; shift += 7) {
        if (at >= length || shift > 14)
            return FALSE;
        size |= (gsize)(octets[at] & 0x7f) << shift;
        if (!(octets[at++] & 0x80))
            break;
    }
    if (size > length - at)
        return FALSE;
    *record = (FileRecord){octets[0], octets + at, size, at + size, at};
    return TRUE;
}

/* An offset in decimal, filled up with blanks or zeros. */
static gboolean take_offset(const FileRecord *record, guint64 *offset)
{
    const guint8 *p = record->data, *end = p + record->length;
    guint64 value = 0;
    guint count = 0;

    while (p < end && *p == ' ')
        p++;
    for (; p < end && g_ascii_isdigit(*p) && count < NUMBER_DIGITS_MAX; p++, count++)
        value = value * 10 + (guint64)(*p - '0');
    while (p < end && *p == ' ')
        p++;
    *offset = value;
    return count > 0 && p == end;
}

/* The next record as it stands, pointers too; its data live until the next call. */
static gboolean read_record(Cursor *cursor, FileRecord *record, GError **error)
{
    if (cursor->count++ == QUEUE_FILE_RECORDS_MAX)
        return damaged(error, "too many records before what is looked for");
    if (cursor->have == 0 ||
        !take_record(cursor->window + cursor->used, cursor->have - cursor->used, record)) {
        cursor->start += cursor->used;
        cursor->used = 0;
        gssize got =
            cursor->reader(cursor->file, cursor->window, sizeof(cursor->window), cursor->start);
        if (got < 0)
            return error_set_errno(error, errno, "read", "queue file");
        cursor->have = (gsize)got;
        if (cursor->have == 0 || !take_record(cursor->window, cursor->have, record))
            return damaged(error, "it ends, or a record is too long, before what is looked for");
    }
    record->at += cursor->start + cursor->used;
    cursor->used += record->size;
    return TRUE;
}

/* The next record that is no pointer. */
static gboolean next_record(Cursor *cursor, FileRecord *record, GError **error)
{
    while (read_record(cursor, record, error)) {
        guint64 offset = 0;
        if (record->type != POINTER)
            return TRUE;
        if (!take_offset(record, &offset))
            return damaged(error, "not a pointer");
        if (offset != 0) {
            cursor->start = offset;
            cursor->have = cursor->used = 0;
        }
    }
    return FALSE;
}

static gboolean take_sender(const FileRecord *record, char *sender, GError **error)
{
    if (record->length > QUEUE_FILE_SENDER_MAX)
        return damaged(error, "the sender is too long");
    for (gsize i = 0; i < record->length; i++)
        if (g_ascii_iscntrl(record->data[i]))
            return damaged(error, "a control character in the sender");
    memcpy(sender, record->data, record->length);
    sender[record->length] = '\0';
    return TRUE;
}

static gboolean begins_with(const FileRecord *record, const char *text, gsize length)
{
    return record->length >= length && memcmp(record->data, text, length) == 0;
}

/* Of anything but plain digits nothing is known. */
static void take_created(const FileRecord *record, QueueFile *found)
{
    const gsize name = strlen(CREATED), digits = record->length - name;

    for (gsize i = name; i < record->length; i++)
        if (!g_ascii_isdigit(record->data[i]))
            return;
    if (digits == 0 || digits > NUMBER_DIGITS_MAX)
        return;
    found->created_at = record->at + name;
    found->created_digits = (guint)digits;
}

static gboolean read_envelope(Cursor *cursor, QueueFile *found, GError **error)
{
    gboolean created = FALSE;
    FileRecord record = {0};

    while (next_record(cursor, &record, error)) {
        if (record.type == SENDER)
            return take_sender(&record, found->sender, error);
        if (record.type == CONTENT || record.type == END)
            return damaged(error, "no sender before the content");
        if (!created && record.type == ATTRIBUTE &&
            begins_with(&record, CREATED, strlen(CREATED))) {
            created = TRUE;
            take_created(&record, found);
        }
    }
    return FALSE;
}

/* What stands behind the name and the colon. */
static void take_value(const FileRecord *record, gsize name, char value[QUEUE_FILE_VALUE_MAX + 1])
{
    gsize from = name + 1;

    while (from < record->length && (record->data[from] == ' ' || record->data[from] == '\t'))
        from++;
    gsize length = record->length - from;
    if (length > QUEUE_FILE_VALUE_MAX)
        return;
    for (gsize i = from; i < record->length; i++)
        if (g_ascii_iscntrl(record->data[i]))
            return;
    memcpy(value, record->data + from, length);
    value[length] = '\0';
}

static gboolean is_field(const FileRecord *record, const char *field, gsize length)
{
    return record->length > length && record->data[length] == ':' &&
           g_ascii_strncasecmp((const char *)record->data, field, length) == 0;
}

static gboolean read_header(Cursor *cursor, const char *field, QueueFile *found, GError **error)
{
    const gsize length = strlen(field);
    gboolean in_line = FALSE; /* the record before it was a piece of the same line */
    FileRecord record = {0};

    do
        if (!next_record(cursor, &record, error))
            return FALSE;
    while (record.type != CONTENT && record.type != END);
    while (record.type != END && next_record(cursor, &record, error)) {
        if (record.type == EXTRACTED || (record.type == LINE && !in_line && record.length == 0))
            return TRUE;
        if (!in_line && (record.type == LINE || record.type == PIECE) &&
            is_field(&record, field, length)) {
            if (record.type == LINE)
                take_value(&record, length, found->value);
            return TRUE;
        }
        if (record.type == LINE || record.type == PIECE)
            in_line = record.type == PIECE;
    }
    return record.type == END;
}

gboolean queue_file_read(QueueFileRead reader, gpointer file, const char *field, QueueFile *found,
                         GError **error)
{
    Cursor cursor = {.reader = reader, .file = file};
    QueueFile read = {0};
    FileRecord first = {0};

    if (!read_record(&cursor, &first, error))
        return FALSE;
    if (first.type != FIRST)
        return damaged(error, "it does not begin as one");
    if (!read_envelope(&cursor, &read, error) ||
        (!read_header(&cursor, field, &read, *read.sender ? NULL : error) && !*read.sender))
        return FALSE;
    *found = read;
    return TRUE;
}
