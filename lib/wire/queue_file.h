/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what one of Postfix's queue files says of its message: its sender, its age, a field of its header.
 *     A file is records: a type octet, the length in base 128 (least first, high bit: more follows), data. It
 *     begins with `C', sizes. The envelope comes first and ends with `M', then comes the content: a line is any
 *     number of `L' and one `N'; `X' ends it. A record `p' holds a decimal offset at which reading goes on (0: it
 *     goes on behind the record): what a milter changes is appended to the file, and the record that it replaces
 *     made a pointer to it. Reading so, the first `S' is the sender that Postfix's queue manager takes, and the first
 *     `A' with create_time= the Unix time from which it counts maximal_queue_lifetime and bounce_queue_lifetime
 *     (src/global/record.c, src/qmgr/qmgr_message.c). `T', the time of arrival, it only logs and shows.
 * Used by: outrider-queue.
 * May touch: nothing; the file is read by the function that the caller gives.
 * Threads: any.
 * Limits: at most QUEUE_FILE_RECORDS_MAX records are looked at, pointers included, so that a loop of them ends; a
 *     record fits QUEUE_FILE_WINDOW octets, a sender QUEUE_FILE_SENDER_MAX, a value QUEUE_FILE_VALUE_MAX.
 */
#pragma once

#include <glib.h>

#define QUEUE_FILE_WINDOW      4096
#define QUEUE_FILE_RECORDS_MAX 1000
#define QUEUE_FILE_SENDER_MAX  320
#define QUEUE_FILE_VALUE_MAX   78

typedef struct {
    char sender[QUEUE_FILE_SENDER_MAX +
                1]; /* as it stands there: without angle brackets; "": the null sender */
    char value[QUEUE_FILE_VALUE_MAX + 1]; /* of the header field; "": none, or not looked for */
    guint64 created_at; /* where in the file the digits of create_time begin; 0: not known */
    guint created_digits;
} QueueFile;

/* Reads at an offset as pread(2) does: octets read, fewer at the end of the file, -1 with errno. */
typedef gssize (*QueueFileRead)(gpointer file, guint8 *buffer, gsize size, guint64 offset);

/* The reader of an open file; file points to its descriptor. */
gssize queue_file_pread(gpointer file, guint8 *buffer, gsize size, guint64 offset);

/* Fills *found. value is what the first field of
 * that name has, in any case, if it is one line of printable octets and not too long; a header that cannot be read has none, unless the sender is null. FALSE and CORRUPT (no such
 * file of Postfix's, or over a limit) or IO: *found is untouched. */
gboolean queue_file_read(QueueFileRead reader, gpointer file, const char *field, QueueFile *found,
                         GError **error);
