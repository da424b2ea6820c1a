/* SPDX-License-Identifier: MIT */
#include "lib/wire/queue_file.h"

#include <errno.h>
#include <string.h>

#include "lib/base/error.h"

#define OFFSET_DIGITS_MAX 18

enum { FIRST = 'C', SENDER = 'S', POINTER = 'p', CONTENT = 'M', END = 'E' };

typedef struct {
    guint8 type;
    const guint8 *data;
    gsize length;
    gsize size; /* with its head */
} FileRecord;

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
    *record = (FileRecord){octets[0], octets + at, size, at + size};
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
    for (; p < end && g_ascii_isdigit(*p) && count < OFFSET_DIGITS_MAX; p++, count++)
        value = value * 10 + (guint64)(*p - '0');
    while (p < end && *p == ' ')
        p++;
    *offset = value;
    return count > 0 && p == end;
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

gboolean queue_file_sender(QueueFileRead reader, gpointer file,
                           char sender[QUEUE_FILE_SENDER_MAX + 1], GError **error)
{
    guint8 window[QUEUE_FILE_WINDOW];
    gsize have = 0, used = 0;
    guint64 start = 0; /* of the window, in the file */
    FileRecord record;

    for (guint count = 0; count < QUEUE_FILE_RECORDS_MAX; count++) {
        if (have == 0 || !take_record(window + used, have - used, &record)) {
            start += used;
            used = 0;
            gssize got = reader(file, window, sizeof(window), start);
            if (got < 0)
                return error_set_errno(error, errno, "read", "queue file");
            have = (gsize)got;
            if (have == 0 || !take_record(window, have, &record))
                return damaged(error, "it ends, or a record is too long, before the sender");
        }
        if (count == 0 && record.type != FIRST)
            return damaged(error, "it does not begin as one");
        used += record.size;
        if (record.type == SENDER)
            return take_sender(&record, sender, error);
        if (record.type == CONTENT || record.type == END)
            return damaged(error, "no sender before the content");
        guint64 offset = 0;
        if (record.type == POINTER && !take_offset(&record, &offset))
            return damaged(error, "not a pointer");
        if (offset != 0) {
            start = offset;
            have = used = 0;
        }
    }
    return damaged(error, "too many records before the sender");
}
