/* SPDX-License-Identifier: MIT */
/* Tokens cover the text without gaps, and what is told of a tag lies within it. */
#include <glib.h>
#include <string.h>

#include "lib/html/foreign.h"
#include "lib/html/reference.h"
#include "lib/html/tokenizer.h"
#include "tests/fuzz/fuzz.h"

unsigned fuzz_reached;

static void check_within(HtmlRange outer, HtmlRange inner)
{
    g_assert(inner.at >= outer.at && inner.at + inner.length <= outer.at + outer.length);
}

static void check_value(const char *text, HtmlRange range)
{
    g_autoptr(GString) value = html_value_decode(text + range.at, range.length);
    g_autoptr(GString) encoded = html_value_encode(value->str, value->len);
    g_autoptr(GString) again = html_value_decode(encoded->str, encoded->len);

    g_assert(g_string_equal(value, again));
    html_value_is_doubtful(text + range.at, range.length);
}

static void check_tag(const char *text, const HtmlToken *token)
{
    check_within(token->range, token->name);
    for (guint i = 0; i < token->n_attributes; i++) {
        const HtmlAttribute *attribute = &token->attributes[i];
        check_within(token->range, attribute->name);
        if (attribute->value.length > 0) {
            check_within(token->range, attribute->value);
            check_value(text, attribute->value);
        }
        fuzz_reached++;
    }
}

static void walk(const char *text, gsize length, gboolean foreign)
{
    g_autoptr(HtmlTokenizer) tokenizer = html_tokenizer_new(text, length);
    const HtmlToken *token;
    gsize at = 0;

    do {
        html_tokenizer_set_foreign(tokenizer, foreign);
        token = html_tokenizer_next(tokenizer);
        g_assert(token->range.at == at && (token->range.length > 0 || token->kind == HTML_END));
        at += token->range.length;
        if (token->kind == HTML_START_TAG || token->kind == HTML_END_TAG)
            check_tag(text, token);
    } while (token->kind != HTML_END);
    g_assert(at == length);
}

/* As a browser goes: foreign content where its tags say so. */
static void follow(const char *text, gsize length)
{
    g_autoptr(HtmlTokenizer) tokenizer = html_tokenizer_new(text, length);
    g_autoptr(HtmlForeign) foreign = html_foreign_new(text);
    const HtmlToken *token;
    gboolean lost = FALSE;

    do {
        token = html_tokenizer_next(tokenizer);
        HtmlPlace place = html_foreign_take(foreign, token);
        g_assert(!lost || place == HTML_PLACE_LOST);
        lost = place == HTML_PLACE_LOST;
        html_tokenizer_set_foreign(tokenizer, html_foreign_is_open(foreign));
    } while (token->kind != HTML_END);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;

    walk(text, size, FALSE);
    walk(text, size, TRUE);
    follow(text, size);
    return 0;
}
