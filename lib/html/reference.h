/* SPDX-License-Identifier: MIT */
/*
 * Purpose: character references in attribute values: "&amp;", "&#38;" and their like (WHATWG HTML, section 13.2.5.72).
 * Used by: lib/tracking.
 * May touch: nothing.
 * Threads: any.
 * Limits: none; the result is never longer than three times the text.
 */
#pragma once

#include <glib.h>

/* An attribute's value as a browser reads it. Octets beyond ASCII are kept as they are; what references stand for is UTF-8. NUL,
 * which a browser replaces, stays. */
GString *html_value_decode(const char *text, gsize length);

/* Whether browsers read a value in two ways: a name that the standard takes for text, as it has no semicolon and "=" or a letter
 * follows ("&copy=1"), is a reference to Chromium's parser of fragments when a reference with one stands at some places besides. */
gboolean html_value_is_doubtful(const char *text, gsize length);

/* The same value, written so that it may stand between quotes, or behind "=" without any: "&", quotes, "<", ">", "`", "=" and white
 * space become references. */
GString *html_value_encode(const char *text, gsize length);
