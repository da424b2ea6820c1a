/* SPDX-License-Identifier: MIT */
#include "lib/tracking/html_part.h"

#include <string.h>

#include "lib/base/splice.h"
#include "lib/html/foreign.h"
#include "lib/html/reference.h"
#include "lib/html/tokenizer.h"
#include "lib/tracking/target.h"

#define VALUE_MAX                                                                                  \
    65536 /* octets of a value that are looked at: more are no URL of 2,000, however it is written */
#define NOWHERE G_MAXSIZE

typedef struct {
    Draft *draft;
    HtmlTokenizer *tokenizer;
    HtmlForeign *foreign;
    guint templates; /* that are open */
    gboolean
        is_open; /* the last token goes on to the end of the text: nothing can stand behind it */
    gboolean has_pixel; /* of this tracking host */
    gboolean is_frameset;
    gsize body_end; /* where the last </body> begins */
    gsize
        html_end; /* the same of </html>, if no element begins behind it: else the page goes on there */
} Page;

static gboolean is_named(const Page *page, HtmlRange range, const char *word)
{
    return html_range_is(page->draft->text, range, word);
}

/* An attribute that a browser keeps; NULL: there is none. */
static const HtmlAttribute *find_attribute(const Page *page, const HtmlToken *token,
                                           const char *name)
{
    for (guint i = 0; i < token->n_attributes; i++)
        if (!token->attributes[i].repeated && is_named(page, token->attributes[i].name, name))
            return &token->attributes[i];
    return NULL;
}

static gsize attribute_end(const HtmlAttribute *attribute)
{
    const HtmlRange *value = &attribute->value;

    return value->at > 0 ? value->at + value->length + (attribute->quote != 0)
                         : attribute->name.at + attribute->name.length;
}

/* Takes an attribute away, and the white space before it where what is left stays parted. */
static void remove_attribute(const Page *page, const HtmlAttribute *attribute)
{
    const char *text = page->draft->text;
    gsize from = attribute->name.at, to = attribute_end(attribute);

    gsize next = to;
    while (g_ascii_isspace(text[next]))
        next++;
    if (text[next] == '=') /* it would become the value of the one before */
        return;
    if (g_ascii_isspace(text[to]) || text[to] == '>')
        while (g_ascii_isspace(text[from - 1]))
            from--;
    splice_add(page->draft->splices, from, to, g_string_new(NULL));
}

static void replace_value(const Page *page, HtmlRange range, const char *value, gsize length)
{
    splice_add(page->draft->splices, range.at, range.at + range.length,
               html_value_encode(value, length));
}

/* A URL with the mark: where it is plain, draft_unmark takes it out. */
static void unmark_value(const Page *page, HtmlRange range, const char *url, gsize length)
{
    const char *plain = page->draft->text + range.at;
    gsize plain_length = range.length;

    target_trim(&plain, &plain_length);
    if (target_marked(plain, plain_length))
        return;
    g_autoptr(GString) unmarked = g_string_new_len(url, (gssize)length);
    target_unmark(unmarked);
    replace_value(page, range, unmarked->str, unmarked->len);
}

/* Why a link in this place, with these attributes, is not looked at any further; TRACKING_SKIP_COUNT: it is. */
static TrackingSkip reason_of_place(const Page *page, const HtmlToken *token, HtmlPlace place)
{
    if (place != HTML_PLACE_HTML)
        return TRACKING_SKIP_FOREIGN;
    if (page->templates > 0)
        return TRACKING_SKIP_TEMPLATE;
    if (token->n_attributes == HTML_ATTRIBUTES_MAX)
        return TRACKING_SKIP_UNCLEAR;
    return TRACKING_SKIP_COUNT;
}

static void take_value(const Page *page, HtmlRange range, TrackingSkip why, gboolean opted_out)
{
    Draft *draft = page->draft;

    if (range.length > VALUE_MAX) {
        if (draft->settings->clicks)
            draft_skip(draft, TRACKING_SKIP_LENGTH);
        return;
    }
    g_autoptr(GString) value = html_value_decode(draft->text + range.at, range.length);
    const char *url = value->str;
    gsize length = value->len;

    target_trim(&url, &length);
    if (target_marked(url, length)) {
        if (why == TRACKING_SKIP_COUNT)
            unmark_value(page, range, url, length);
        opted_out = TRUE;
    }
    if (why == TRACKING_SKIP_COUNT && opted_out)
        why = TRACKING_SKIP_OPTED_OUT;
    if (why == TRACKING_SKIP_COUNT && html_value_is_doubtful(draft->text + range.at, range.length))
        why = TRACKING_SKIP_UNCLEAR;
    if (why != TRACKING_SKIP_COUNT) {
        if (draft->settings->clicks)
            draft_skip(draft, why);
        return;
    }
    g_autofree char *tracked = draft_link(draft, url, length, FALSE);
    if (tracked)
        replace_value(page, range, tracked, strlen(tracked));
}

static void take_link(const Page *page, const HtmlToken *token, HtmlPlace place)
{
    const HtmlAttribute *href = find_attribute(page, token, "href");
    const HtmlAttribute *mark = find_attribute(page, token, "data-notrack");
    TrackingSkip why = reason_of_place(page, token, place);

    if (mark && (why == TRACKING_SKIP_COUNT || why == TRACKING_SKIP_UNCLEAR))
        remove_attribute(page, mark);
    if (href && href->value.length > 0)
        take_value(page, href->value, why, mark != NULL);
}

static void take_image(Page *page, const HtmlToken *token)
{
    const HtmlAttribute *src = find_attribute(page, token, "src");

    if (!src || src->value.length > VALUE_MAX)
        return;
    g_autoptr(GString) value =
        html_value_decode(page->draft->text + src->value.at, src->value.length);
    if (draft_is_pixel(page->draft, value->str))
        page->has_pixel = TRUE;
}

static void take_start(Page *page, const HtmlToken *token, HtmlPlace place)
{
    HtmlRange name = token->name;

    page->html_end = NOWHERE;
    page->is_open = html_tokenizer_is_opaque(page->tokenizer);
    if (is_named(page, name, "a") || is_named(page, name, "area"))
        take_link(page, token, place);
    else if (is_named(page, name, "img"))
        take_image(page, token);
    else if (is_named(page, name, "template") && place == HTML_PLACE_HTML)
        page->templates++;
    else if (is_named(page, name, "frameset"))
        page->is_frameset = TRUE;
}

static void take_end(Page *page, const HtmlToken *token, HtmlPlace place)
{
    page->is_open = FALSE;
    if (place != HTML_PLACE_HTML)
        return;
    if (is_named(page, token->name, "template"))
        page->templates -= page->templates > 0;
    else if (page->templates > 0)
        return;
    else if (is_named(page, token->name, "body"))
        page->body_end = token->range.at;
    else if (is_named(page, token->name, "html"))
        page->html_end = token->range.at;
}

/* Whether a comment ends where the text does because nothing ended it. */
static gboolean is_unended(const Page *page, const HtmlToken *token)
{
    const char *comment = page->draft->text + token->range.at;
    gsize length = token->range.length;

    if (token->range.at + length < page->draft->length)
        return FALSE;
    if (length < 4 || memcmp(comment, "<!--", 4) != 0)
        return comment[length - 1] != '>';
    return !(memcmp(comment + length - 3, "-->", 3) == 0 ||
             (length >= 8 && memcmp(comment + length - 4, "--!>", 4) == 0));
}

/* "</" at the end of the text would make a comment of what is put behind it. */
static gboolean ends_in_tag_open(const Page *page, HtmlRange range)
{
    const char *end = page->draft->text + page->draft->length;

    return range.at + range.length == page->draft->length && range.length >= 2 &&
           memcmp(end - 2, "</", 2) == 0;
}

static void take_token(Page *page, const HtmlToken *token)
{
    HtmlPlace place = html_foreign_take(page->foreign, token);

    if (token->kind == HTML_START_TAG)
        take_start(page, token, place);
    else if (token->kind == HTML_END_TAG)
        take_end(page, token, place);
    else if (token->kind == HTML_TEXT) /* in an opaque element it stays as the start tag set it */
        page->is_open = page->is_open || ends_in_tag_open(page, token->range);
    else if (token->kind == HTML_COMMENT)
        page->is_open = is_unended(page, token);
    else if (token->kind == HTML_END && token->range.length > 0)
        page->is_open = TRUE;
    html_tokenizer_set_foreign(page->tokenizer, html_foreign_is_open(page->foreign));
}

static void place_pixel(const Page *page, const HtmlToken *last)
{
    Draft *draft = page->draft;
    gboolean at_end = page->body_end == NOWHERE && page->html_end == NOWHERE;
    gsize at = page->body_end != NOWHERE   ? page->body_end
               : page->html_end != NOWHERE ? page->html_end
                                           : draft->length;

    if (page->has_pixel) {
        draft_skip(draft, TRACKING_SKIP_PIXEL);
        return;
    }
    if (page->is_frameset || html_foreign_take(page->foreign, last) != HTML_PLACE_HTML ||
        page->templates > 0 || (at_end && page->is_open)) {
        draft_skip(draft, TRACKING_SKIP_NO_PLACE);
        return;
    }
    GString *element = draft_pixel(draft);
    if (element)
        splice_add(draft->splices, at, at, element);
}

void html_part_rewrite(Draft *draft)
{
    g_autoptr(HtmlTokenizer) tokenizer = html_tokenizer_new(draft->text, draft->length);
    g_autoptr(HtmlForeign) foreign = html_foreign_new(draft->text);
    Page page = {.draft = draft,
                 .tokenizer = tokenizer,
                 .foreign = foreign,
                 .body_end = NOWHERE,
                 .html_end = NOWHERE};
    const HtmlToken *token;

    do {
        token = html_tokenizer_next(tokenizer);
        take_token(&page, token);
    } while (token->kind != HTML_END && !draft->too_many);
    if (draft->wants_pixel && !draft->too_many)
        place_pixel(&page, token);
}
