/* SPDX-License-Identifier: MIT */
/*
 * Purpose: which tags are in foreign content (svg, math): as much of a browser's tree as its tokenizer needs (WHATWG HTML, section
 *     13.2.6.5).
 * Used by: lib/tracking.
 * May touch: nothing.
 * Threads: one at a time.
 * Limits: HTML_FOREIGN_MAX open elements. Time is linear.
 *
 * It follows what is plainly nested. An end tag that fits nothing open, or elements within those that lead back to HTML
 * (foreignObject, desc, title, mi and their like), leave it lost: what comes may be read in other ways.
 */
#pragma once

#include <glib.h>

#include "lib/html/tokenizer.h"

#define HTML_FOREIGN_MAX 20000

typedef enum {
    HTML_PLACE_HTML,
    HTML_PLACE_FOREIGN,
    HTML_PLACE_LOST, /* for good */
} HtmlPlace;

typedef struct HtmlForeign HtmlForeign;

/* text must outlive it. */
HtmlForeign *html_foreign_new(const char *text);
void html_foreign_free(HtmlForeign *foreign);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HtmlForeign, html_foreign_free)

/* Takes a token, each in turn, and says where it is. The tokenizer must be told before the next. */
HtmlPlace html_foreign_take(HtmlForeign *foreign, const HtmlToken *token);

/* Whether what comes is in foreign content. */
gboolean html_foreign_is_open(const HtmlForeign *foreign);
