/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the record format of journal segments: octets to records and back.
 *     length u32 | crc32c u32 | seq u64 | at i64 | type u16 | JSON, integers little-endian; length counts
 *     what follows the crc, which covers the same octets. A length of zero is the end.
 * Used by: lib/journal only, and its tests.
 * May touch: nothing.
 * Threads: any.
 */
#pragma once

#include "lib/journal/journal.h"
#include "lib/journal/reader.h"

#define SEGMENT_HEAD       8  /* length and crc */
#define SEGMENT_FIXED      18 /* seq, at, type */
#define SEGMENT_RECORD_MAX (SEGMENT_HEAD + SEGMENT_FIXED + JOURNAL_JSON_MAX)

typedef enum {
    SEGMENT_RECORD,
    SEGMENT_SHORT,   /* more octets are needed, or the end: a zero length, or nothing */
    SEGMENT_DAMAGED, /* impossible length, wrong crc or number */
} SegmentRead;

/* Appends an entry without its number and crc; segment_number sets them. */
void segment_append(GByteArray *out, const JournalEntry *entry);

/* Numbers the records of a buffer that segment_append filled, from first on; returns how many. */
guint segment_number(GByteArray *records, guint64 first);

/* Reads the record at data. seq is the number that it must have. On SEGMENT_RECORD *used receives its
 * length, and record points into data; its JSON is not NUL-terminated. */
SegmentRead segment_read(const guint8 *data, gsize length, guint64 seq, JournalRecord *record,
                         gsize *used);

/* CRC-32C (Castagnoli, RFC 3720 appendix B.4). */
guint32 segment_crc32c(const guint8 *data, gsize length);
