/* SPDX-License-Identifier: MIT */
/*
 * Purpose: one text of a message while it is rewritten: what is asked for, what is found, which ranges give way to what.
 * Used by: lib/tracking only.
 * May touch: nothing.
 * Threads: one at a time.
 */
#pragma once

#include <glib.h>

#include "lib/tracking/rewrite.h"

typedef struct {
    const TrackingSettings *settings;
    TrackingMakeToken make;
    gpointer data;
    TrackingResult *result;
    gboolean too_many; /* links: nothing is tracked then */
    guint16 ordinal;   /* the last that was given */
    /* Of the part. */
    const char *text; /* decoded */
    gsize length;
    guint part;
    gboolean utf8;
    gboolean wants_pixel;
    gboolean flows_closed; /* RFC 3676 DelSp */
    GArray *splices;       /* ranges of text */
} Draft;

void draft_skip(Draft *draft, TrackingSkip skip);

/* Decides on a URL (trimmed, without mark). Where it shall lead over the tracking host, the new URL is returned and the link is
 * in the result; g_free. Else it is counted with its reason. NULL also when clicks are not asked for. bare: nothing marks its end,
 * so that the new one ends with what every reader takes for a part of it. */
char *draft_link(Draft *draft, const char *url, gsize length, gboolean bare);

/* The pixel's element, and the result has it; NULL: no token. */
GString *draft_pixel(Draft *draft);

/* Whether an image's URL is that of a pixel of this tracking host. */
gboolean draft_is_pixel(const Draft *draft, const char *url);

/* Takes the marks out of all that no range has yet. */
void draft_unmark(Draft *draft);
