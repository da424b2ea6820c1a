/* SPDX-License-Identifier: MIT */
/*
 * Purpose: HTML as a browser's tokenizer sees it (WHATWG HTML, section 13.2.5), as octet ranges of the text; no tree.
 * Used by: lib/tracking.
 * May touch: nothing.
 * Threads: a tokenizer belongs to one at a time.
 * Limits: the text is one piece of octets in a charset in which ASCII stands for itself. Time is linear in its length. A tag has
 *     HTML_ATTRIBUTES_MAX attributes; more are read and not told. Nothing is allocated per token.
 *
 * What a browser's tree tells its tokenizer, the caller must: whether the text that comes is in foreign content (svg, math),
 * where title, style and script are tags like others, and CDATA exists.
 */
#pragma once

#include <glib.h>

#define HTML_ATTRIBUTES_MAX 256

typedef enum {
    HTML_END,
    HTML_TEXT, /* characters, RCDATA, raw text and script too; references in it are not decoded */
    HTML_START_TAG,
    HTML_END_TAG,
    HTML_COMMENT, /* bogus ones, doctypes and CDATA marks too: what is nothing to see */
} HtmlKind;

/* Octets from the begin of the text. */
typedef struct {
    gsize at, length;
} HtmlRange;

typedef struct {
    HtmlRange name;
    HtmlRange value;   /* without quotes; empty when there is none */
    char quote;        /* `"', `\'', or 0: unquoted, or no value */
    gboolean repeated; /* a browser drops it: one of that name stands before it */
} HtmlAttribute;

typedef struct {
    HtmlKind kind;
    HtmlRange range; /* the whole token */
    HtmlRange name;  /* of a tag */
    gboolean self_closing;
    guint n_attributes;
    HtmlAttribute attributes[HTML_ATTRIBUTES_MAX];
} HtmlToken;

typedef struct HtmlTokenizer HtmlTokenizer;

/* text must outlive it. */
HtmlTokenizer *html_tokenizer_new(const char *text, gsize length);
void html_tokenizer_free(HtmlTokenizer *tokenizer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HtmlTokenizer, html_tokenizer_free)

/* The next token, valid until the next call. The last one is HTML_END, whose range is what a browser drops: a tag that is never
 * closed, or nothing. */
const HtmlToken *html_tokenizer_next(HtmlTokenizer *tokenizer);

/* Whether what comes is foreign content; until the next call. */
void html_tokenizer_set_foreign(HtmlTokenizer *tokenizer, gboolean foreign);

/* Whether what comes is text up to the end tag of the element that has just begun, such as title or script. */
gboolean html_tokenizer_is_opaque(const HtmlTokenizer *tokenizer);

/* Whether a range is this ASCII word, in any case. */
gboolean html_range_is(const char *text, HtmlRange range, const char *word);
