/* SPDX-License-Identifier: MIT */
/*
 * Purpose: encoded words (RFC 2047) that stand side by side as one, which GMime reads without loss.
 * Used by: lib/mime.
 * May touch: nothing.
 * Threads: any.
 * Limits: the caller's; the result is a few times as long as the text at most.
 *
 * GMime decodes neighbours in one go, and loses what stands behind one that ends with padding, as most do that are in base64.
 */
#pragma once

#include <glib.h>

/* The text of a field (without line ends) with each run of encoded words, and the white space between them, as a single word
 * in UTF-8; what is no word stays. Octets of a character that two words of one charset share come together. g_free. */
char *word_join(const char *text);
