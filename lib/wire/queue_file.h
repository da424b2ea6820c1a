/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the envelope sender in one of Postfix's queue files.
 *     A file is records: a type octet, the length in base 128 (least first, high bit: more follows), data. It
 *     begins with `C', sizes. The envelope comes first and ends with `M', the content. A record `p' holds a decimal offset at which reading
 *     goes on (0: it goes on behind the record): what a milter changes is appended to the file, and the
 *     record that it replaces made a pointer to it. Reading so, the first `S' is the sender that Postfix's
 *     queue manager takes (src/global/record.c, src/qmgr/qmgr_message.c).
 * Used by: outrider-queue.
 * May touch: nothing; the file is read by the caller's function.
 * Threads: any.
 * Limits: at most QUEUE_FILE_RECORDS_MAX records are looked at, pointers included, so that a loop of them ends; an
 *     envelope record fits QUEUE_FILE_WINDOW octets, a sender QUEUE_FILE_SENDER_MAX.
 */
#pragma once

#include <glib.h>

#define QUEUE_FILE_WINDOW      4096
#define QUEUE_FILE_RECORDS_MAX 1000
#define QUEUE_FILE_SENDER_MAX  320

/* Reads at an offset as pread(2) does: octets read, fewer at the end of the file, -1 with errno. */
typedef gssize (*QueueFileRead)(gpointer file, guint8 *buffer, gsize size, guint64 offset);

/* Fills sender, empty for the null sender, as it stands in the file: without angle brackets, any printable
 * octets. FALSE and CORRUPT (no such file of Postfix's, or over a limit) or IO: sender is untouched. */
gboolean queue_file_sender(QueueFileRead reader, gpointer file,
                           char sender[QUEUE_FILE_SENDER_MAX + 1], GError **error);
