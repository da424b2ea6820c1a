/* SPDX-License-Identifier: MIT */
/*
 * Purpose: SHA-256 of what comes in pieces, with the processor's own instructions: GLib's checksum takes
 *     four times as long.
 * Used by: lib/store.
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

/* Lower case. Nothing can be added after that. */
void digest_finish(Digest *digest, char text[DIGEST_TEXT_LENGTH]);
