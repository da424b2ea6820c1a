/* SPDX-License-Identifier: MIT */
/*
 * Purpose: messages rewritten with settings and keys that never change, for tests of lib/tracking.
 * Used by: unit tests, fuzz targets, tests/lib/tracking_dump and the bench.
 * May touch: nothing.
 * Threads: one.
 */
#pragma once

#include <glib.h>

#include "lib/tracking/rewrite.h"

#define TRACKING_HOST "t.track.test"

/* Rewrites a message (header, blank line, body), tracking what the letters of wanted say: c clicks, o opens, t text links. Its own
 * wishes count. Excluded are excluded.test, and below.test with what is below it. Returns where the body begins. */
gsize tracking_fixture_rewrite(const char *message, gsize length, const char *wanted,
                               TrackingResult *result);

/* The same for what is parsed already. */
void tracking_fixture_run(const GPtrArray *fields, const char *body, gsize length,
                          const char *wanted, TrackingResult *result);

/* Where the first link of ours or the pixel in a text is, and what is behind it; NULL: there is none. *url (g_free): the link, NULL
 * for the pixel. */
const char *tracking_fixture_find(const char *text, gsize length, const char **behind, char **url);

/* The URL that a link over the tracking host leads to; NULL: no seal of ours. g_free. */
char *tracking_fixture_open(const char *url);

/* Rewrites, and aborts unless all of this holds: the parts are the same; nothing differs but values that became links of ours and
 * the pixel; each of these opens to the URL that the result names; rewriting again changes nothing. Returns the links and pixels. */
guint tracking_fixture_check(const GPtrArray *fields, const char *body, gsize length,
                             const char *wanted);

/* The same for the text of a message of that type, in each transfer encoding. */
guint tracking_fixture_check_text(const char *type, const guint8 *text, gsize length,
                                  const char *wanted);
