/* SPDX-License-Identifier: MIT */
#include "lib/html/foreign.h"

/* Start tags that end foreign content. font does with some attributes only. */
static const char *const leaving[] = {
    "b",      "big",  "blockquote", "body",  "br",   "center", "code",    "dd",   "div",
    "dl",     "dt",   "em",         "embed", "h1",   "h2",     "h3",      "h4",   "h5",
    "h6",     "head", "hr",         "i",     "img",  "li",     "listing", "menu", "meta",
    "nobr",   "ol",   "p",          "pre",   "ruby", "s",      "small",   "span", "strong",
    "strike", "sub",  "sup",        "table", "tt",   "u",      "ul",      "var"};

/* Elements in which HTML may come again. */
static const char *const integrating[] = {
    "foreignobject", "desc", "title", "annotation-xml", "mi", "mo", "mn", "ms", "mtext"};

struct HtmlForeign {
    const char *text;
    GArray *open; /* HtmlRange: names of the foreign elements that are open */
    gboolean in_select;
    gboolean lost;
};

HtmlForeign *html_foreign_new(const char *text)
{
    HtmlForeign *foreign = g_new0(HtmlForeign, 1);

    foreign->text = text;
    foreign->open = g_array_new(FALSE, FALSE, sizeof(HtmlRange));
    return foreign;
}

void html_foreign_free(HtmlForeign *foreign)
{
    if (!foreign)
        return;
    g_array_unref(foreign->open);
    g_free(foreign);
}

gboolean html_foreign_is_open(const HtmlForeign *foreign)
{
    return foreign->open->len > 0;
}

static gboolean is_one_of(const HtmlForeign *foreign, HtmlRange name, const char *const *words,
                          gsize n)
{
    for (gsize i = 0; i < n; i++)
        if (html_range_is(foreign->text, name, words[i]))
            return TRUE;
    return FALSE;
}

static gboolean leaves(const HtmlForeign *foreign, const HtmlToken *token)
{
    static const char *const attributes[] = {"color", "face", "size"};

    if (is_one_of(foreign, token->name, leaving, G_N_ELEMENTS(leaving)))
        return TRUE;
    if (!html_range_is(foreign->text, token->name, "font"))
        return FALSE;
    for (guint i = 0; i < token->n_attributes; i++)
        if (is_one_of(foreign, token->attributes[i].name, attributes, G_N_ELEMENTS(attributes)))
            return TRUE;
    return FALSE;
}

static HtmlRange innermost(const HtmlForeign *foreign)
{
    return g_array_index(foreign->open, HtmlRange, foreign->open->len - 1);
}

static void push(HtmlForeign *foreign, const HtmlToken *token)
{
    if (foreign->open->len >= HTML_FOREIGN_MAX)
        foreign->lost = TRUE;
    else if (!token->self_closing)
        g_array_append_val(foreign->open, token->name);
}

static HtmlPlace start_in_html(HtmlForeign *foreign, const HtmlToken *token)
{
    static const char *const roots[] = {"svg", "math"};

    if (html_range_is(foreign->text, token->name, "select"))
        foreign->in_select = TRUE;
    if (!is_one_of(foreign, token->name, roots, G_N_ELEMENTS(roots)))
        return HTML_PLACE_HTML;
    if (foreign->in_select) /* browsers of different age disagree */
        foreign->lost = TRUE;
    else
        push(foreign, token);
    return HTML_PLACE_FOREIGN;
}

static HtmlPlace start_in_foreign(HtmlForeign *foreign, const HtmlToken *token)
{
    if (is_one_of(foreign, innermost(foreign), integrating, G_N_ELEMENTS(integrating))) {
        foreign->lost = TRUE;
        return HTML_PLACE_LOST;
    }
    if (leaves(foreign, token)) {
        g_array_set_size(foreign->open, 0);
        return HTML_PLACE_HTML;
    }
    push(foreign, token);
    return HTML_PLACE_FOREIGN;
}

static gboolean same_name(const HtmlForeign *foreign, HtmlRange a, HtmlRange b)
{
    return a.length == b.length &&
           g_ascii_strncasecmp(foreign->text + a.at, foreign->text + b.at, a.length) == 0;
}

static HtmlPlace end_in_foreign(HtmlForeign *foreign, const HtmlToken *token)
{
    for (guint i = foreign->open->len; i > 0; i--)
        if (same_name(foreign, g_array_index(foreign->open, HtmlRange, i - 1), token->name)) {
            g_array_set_size(foreign->open, i - 1);
            return HTML_PLACE_FOREIGN;
        }
    foreign->lost = TRUE;
    return HTML_PLACE_LOST;
}

HtmlPlace html_foreign_take(HtmlForeign *foreign, const HtmlToken *token)
{
    HtmlPlace place = html_foreign_is_open(foreign) ? HTML_PLACE_FOREIGN : HTML_PLACE_HTML;

    if (foreign->lost)
        return HTML_PLACE_LOST;
    if (token->kind == HTML_START_TAG)
        place = place == HTML_PLACE_HTML ? start_in_html(foreign, token)
                                         : start_in_foreign(foreign, token);
    else if (token->kind == HTML_END_TAG && place == HTML_PLACE_FOREIGN)
        place = end_in_foreign(foreign, token);
    else if (token->kind == HTML_END_TAG && html_range_is(foreign->text, token->name, "select"))
        foreign->in_select = FALSE;
    return foreign->lost ? HTML_PLACE_LOST : place;
}
