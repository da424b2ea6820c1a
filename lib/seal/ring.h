/* SPDX-License-Identifier: MIT */
/*
 * Purpose: key rings: files of lines `number key created state`, and HMAC-SHA256 with them.
 * Used by: lib/seal's formats; the CLI makes and rotates rings.
 * May touch: <key_dir>/{claim,return,link}.
 * Threads: a loaded ring is never changed; share it.
 * Limits: files of at most 16 KiB; at most 16 keys a ring, numbers 0..15, 32-octet keys in 64 hex digits; exactly one key in
 *     state `seal`. A file that others may read is refused.
 */
#pragma once

#include <glib.h>

#define RING_KEYS_MAX   16
#define RING_KEY_LENGTH 32
#define RING_MAC_LENGTH 32

typedef struct KeyRing KeyRing;

/* Loads a ring; INVALID names file and line. */
KeyRing *ring_load(const char *path, GError **error);

/* The same from text; name stands for the file in errors. */
KeyRing *ring_parse(const char *name, const char *text, GError **error);

void ring_free(KeyRing *ring);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KeyRing, ring_free)

/* Text of a new ring with one fresh random key, number 0, in state seal. created is Unix time.
 * g_free. NULL when the random source fails. */
char *ring_generate(gint64 created);

/* The number of the key that seals. */
unsigned ring_seal_number(const KeyRing *ring);

/* HMAC-SHA256 over data with the numbered key; FALSE when there is no such key (any state may
 * verify). */
gboolean ring_mac(const KeyRing *ring, unsigned number, const guint8 *data, gsize length,
                  guint8 mac[RING_MAC_LENGTH]);

/* HMAC-SHA256 of plain octets with a key of any length. */
void seal_hmac(const guint8 *key, gsize key_length, const guint8 *data, gsize length,
               guint8 mac[RING_MAC_LENGTH]);

/* Constant-time comparison. */
gboolean seal_equal(const guint8 *a, const guint8 *b, gsize length);
