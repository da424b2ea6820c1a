/* SPDX-License-Identifier: MIT */
/*
 * Purpose: SHA-256 of what comes in pieces, with the processor's own instructions: GLib's checksum takes
 *     four times as long.
 * Used by: lib/store; the API; the worker, for keys of rows that are made from what the row is about.
 * May touch: nothing.
 * Threads: any; a Digest belongs to one at a time.
 * Limits: without SHA-256 in OpenSSL the program ends.
 */
#pragma once

#include <glib.h>

#define DIGEST_TEXT_LENGTH 65 /* 64 hexadecimal digits and a NUL */

typedef struct Digest Digest;

Digest *digest_new(void);
void digest_free(Digest *digest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Digest, digest_free)

void digest_add(Digest *digest, const void *data, gsize length);

/* A text and the NUL behind it, so that no two lists of texts are the same. */
void digest_add_text(Digest *digest, const char *text);

/* The first 63 bits. Nothing can be added after that. */
guint64 digest_finish_number(Digest *digest);

/* Lower case. Nothing can be added after that. */
void digest_finish(Digest *digest, char text[DIGEST_TEXT_LENGTH]);
