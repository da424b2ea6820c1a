/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the header record of a stored message: a zstd skippable frame of fixed size with JSON and
 *     blanks, so that it can be written last, when size and digest are known.
 * Used by: lib/store only.
 * May touch: nothing.
 * Threads: any.
 */
#pragma once

#include <glib.h>

#include "lib/seal/digest.h"
#include "lib/store/store.h"

#define RECORD_LENGTH 256 /* with the frame's own 8 octets */

typedef struct {
    StoreHeader header;
    guint64 size; /* octets of the message */
    char sha256[DIGEST_TEXT_LENGTH];
} StoreRecord;

/* Writes the frame. */
void record_encode(const StoreRecord *record, guint8 frame[RECORD_LENGTH]);

/* Reads a frame; FALSE when it is not one of ours. */
gboolean record_decode(const guint8 *frame, gsize length, StoreRecord *record);
