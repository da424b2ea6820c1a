/* SPDX-License-Identifier: MIT */
/*
 * Purpose: message tokens: 16 base-62 characters from HMAC-SHA256(seed of the submission, index).
 * Used by: the milter, the API.
 * May touch: the kernel's random source (token_seed).
 * Threads: any.
 */
#pragma once

#include <glib.h>

#define TOKEN_LENGTH      16
#define TOKEN_SEED_LENGTH 16

/* Fills a seed with random octets. FALSE when the random source fails. */
gboolean token_seed(guint8 seed[TOKEN_SEED_LENGTH], GError **error);

/* Writes the token of the index-th message and a NUL: the MAC over the index (32 bits, big-endian),
 * taken as a big-endian number, gives its 16 lowest base-62 digits (0-9A-Za-z), lowest first. */
void token_derive(const guint8 seed[TOKEN_SEED_LENGTH], guint32 index,
                  char token[TOKEN_LENGTH + 1]);
