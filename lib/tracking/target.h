/* SPDX-License-Identifier: MIT */
/*
 * Purpose: whether a URL may be tracked: every browser must read it as we do.
 * Used by: lib/tracking only.
 * May touch: nothing.
 * Threads: any.
 * Limits: LINK_URL_MAX octets.
 */
#pragma once

#include <glib.h>

#include "lib/tracking/rewrite.h"

/* Takes off what a browser drops around a URL: C0 controls and spaces, but no NUL, which it replaced before. */
void target_trim(const char **url, gsize *length);

/* How many octets of "http+notrack://" or "https+notrack://" stand before the mark; 0: the URL does not begin so. */
gsize target_marked(const char *url, gsize length);

/* Takes the mark out of a URL that has one. */
void target_unmark(GString *url);

/* A trimmed URL without mark. FALSE, and why, when it must stay. utf8: octets beyond ASCII are UTF-8. */
gboolean target_check(const char *url, gsize length, gboolean utf8,
                      const TrackingSettings *settings, TrackingSkip *why);
