/* SPDX-License-Identifier: MIT */
/* Reads a segment as recovery does: from the front until something is not a record. */
#include "lib/journal/segment.h"
#include "tests/fuzz/fuzz.h"

unsigned fuzz_reached;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    JournalRecord record;
    gsize used = 0, at = 0;
    guint64 seq = 1;

    while (segment_read(data + at, size - at, seq, &record, &used) == SEGMENT_RECORD) {
        g_assert(used >= SEGMENT_HEAD + SEGMENT_FIXED && used <= size - at);
        g_assert(record.seq == seq && record.length == used - SEGMENT_HEAD - SEGMENT_FIXED);
        at += used;
        seq++;
        fuzz_reached++;
    }
    return 0;
}
