/* SPDX-License-Identifier: MIT */
/*
 * Purpose: CRAM-MD5 (RFC 2195) without the key: HMAC-MD5 (RFC 2104) from two saved MD5 states, taken
 *     after one block of key^ipad and one of key^opad.
 * Used by: policyd (verify), the directory (make, when a credential is created).
 * May touch: nothing.
 * Threads: any.
 * Limits: none beyond memory.
 */
#pragma once

#include <glib.h>

#define CRAM_STATE_LENGTH  32 /* inner A B C D, outer A B C D, each 32 bits little-endian */
#define CRAM_DIGEST_LENGTH 32 /* hexadecimal digits */

/* The states of a key. */
void cram_state_make(const char *key, guint8 state[CRAM_STATE_LENGTH]);

/* Lower-case hexadecimal HMAC-MD5 of a challenge, and a NUL. */
void cram_digest(const guint8 state[CRAM_STATE_LENGTH], const char *challenge,
                 char digest[CRAM_DIGEST_LENGTH + 1]);

/* Whether response is that digest, in constant time; case of the digits does not matter. */
gboolean cram_verify(const guint8 state[CRAM_STATE_LENGTH], const char *challenge,
                     const char *response);
