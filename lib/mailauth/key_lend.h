/* SPDX-License-Identifier: MIT */
/*
 * Purpose: lends a loaded private key to libopendkim. It takes keys as PEM only and reads them anew for each
 *     signature, which with OpenSSL 3 costs more than the signature itself. What it calls for that,
 *     OpenSSL's PEM_read_bio_PrivateKey, is defined here once more: linked in front of OpenSSL's,
 *     it answers with the key that its thread has lent, and otherwise hands the call on.
 * Used by: lib/mailauth.
 * May touch: nothing.
 * Threads: any; what one lends no other sees.
 */
#pragma once

#include <openssl/evp.h>

/* From now on whoever reads a private key on this thread gets this one, whatever he reads; NULL: no more.
 * The caller keeps his reference until then. */
void key_lend(EVP_PKEY *key);
