/* SPDX-License-Identifier: MIT */
#include "lib/journal/segment.h"

#include <string.h>

#define POLYNOMIAL 0x82f63b78u /* reflected */

static guint32 table[256];

static gpointer fill_table(gpointer unused)
{
    (void)unused;
    for (guint32 i = 0; i < 256; i++) {
        guint32 value = i;
        for (guint bit = 0; bit < 8; bit++)
            value = value & 1 ? value >> 1 ^ POLYNOMIAL : value >> 1;
        table[i] = value;
    }
    return table;
}

guint32 segment_crc32c(const guint8 *data, gsize length)
{
    static GOnce once = G_ONCE_INIT;
    guint32 crc = 0xffffffffu;

    g_once(&once, fill_table, NULL);
    for (gsize i = 0; i < length; i++)
        crc = crc >> 8 ^ table[(crc ^ data[i]) & 0xff];
    return ~crc;
}

static void put16(guint8 *at, guint16 value)
{
    value = GUINT16_TO_LE(value);
    memcpy(at, &value, sizeof(value));
}

static void put32(guint8 *at, guint32 value)
{
    value = GUINT32_TO_LE(value);
    memcpy(at, &value, sizeof(value));
}

static void put64(guint8 *at, guint64 value)
{
    value = GUINT64_TO_LE(value);
    memcpy(at, &value, sizeof(value));
}

static guint16 get16(const guint8 *at)
{
    guint16 value;
    memcpy(&value, at, sizeof(value));
    return GUINT16_FROM_LE(value);
}

static guint32 get32(const guint8 *at)
{
    guint32 value;
    memcpy(&value, at, sizeof(value));
    return GUINT32_FROM_LE(value);
}

static guint64 get64(const guint8 *at)
{
    guint64 value;
    memcpy(&value, at, sizeof(value));
    return GUINT64_FROM_LE(value);
}

void segment_append(GByteArray *out, const JournalEntry *entry)
{
    gsize length = entry->length < 0 ? strlen(entry->json) : (gsize)entry->length;
    guint8 head[SEGMENT_HEAD + SEGMENT_FIXED] = {0};

    put32(head, (guint32)(SEGMENT_FIXED + length));
    put64(head + 16, (guint64)entry->at_us);
    put16(head + 24, (guint16)entry->type);
    g_byte_array_append(out, head, sizeof(head));
    g_byte_array_append(out, (const guint8 *)entry->json, (guint)length);
}

guint segment_number(GByteArray *records, guint64 first)
{
    guint n = 0;

    for (gsize at = 0; at < records->len; n++) {
        guint8 *record = records->data + at;
        guint32 length = get32(record);
        put64(record + SEGMENT_HEAD, first + n);
        put32(record + 4, segment_crc32c(record + SEGMENT_HEAD, length));
        at += SEGMENT_HEAD + length;
    }
    return n;
}

SegmentRead segment_read(const guint8 *data, gsize length, guint64 seq, JournalRecord *record,
                         gsize *used)
{
    if (length < SEGMENT_HEAD)
        return SEGMENT_SHORT;
    guint32 body = get32(data);
    if (body == 0)
        return SEGMENT_SHORT;
    if (body < SEGMENT_FIXED || body > SEGMENT_FIXED + JOURNAL_JSON_MAX)
        return SEGMENT_DAMAGED;
    if (length < SEGMENT_HEAD + (gsize)body)
        return SEGMENT_SHORT;
    const guint8 *at = data + SEGMENT_HEAD;
    if (get32(data + 4) != segment_crc32c(at, body) || get64(at) != seq)
        return SEGMENT_DAMAGED;
    *record = (JournalRecord){
        .seq = seq,
        .at_us = (gint64)get64(at + 8),
        .type = get16(at + 16),
        .json = (const char *)at + SEGMENT_FIXED,
        .length = body - SEGMENT_FIXED,
    };
    *used = SEGMENT_HEAD + (gsize)body;
    return SEGMENT_RECORD;
}
