/* SPDX-License-Identifier: MIT */
/* Links of made-up texts are where another reader of HTML, Gumbo, finds them too. */
#include <gumbo.h>

#include "lib/html/reference.h"
#include "lib/html/tokenizer.h"
#include "tests/lib/testing.h"

#define TEXTS      40000
#define LINKS_MIN  10000
#define PIECES_MAX 40

/* Without select, frameset, template, noscript and foreign content, where only a tree can tell what is a tag. */
static const char *const pieces[] = {
    "<a href=",
    "<A HREF = ",
    "<area href='",
    "<a class=x href=\"",
    "\"",
    "'",
    ">",
    "<",
    "/>",
    "</a>",
    "</",
    "<!--",
    "-->",
    "--!>",
    "-",
    "<!",
    "<?",
    "<!doctype html>",
    "<title>",
    "</title>",
    "<style>",
    "</style>",
    "<xmp>",
    "</xmp>",
    "<script>",
    "</script>",
    "<!-- <script>",
    "<textarea>",
    "</textarea >",
    "<iframe>",
    "</iframe/>",
    "&amp;",
    "&copy=1",
    "&#38;",
    "=",
    " ",
    "\n",
    "\t",
    "x",
    "http://a.test/?b=1&c=2",
    "class=y",
    "/",
    "\xc3\xa9",
    "<b ",
    "<br/>",
    "<td background=",
    "<p",
    "a",
    "HREF=z",
    "\"a>b\"",
    "<a href='q' href=r>",
    "<table><tr><td>",
    "</table>",
    "<!--[if mso]>",
    "<![endif]-->",
    "<div>",
};

/* Where a tag begins, and its href, decoded. */
typedef struct {
    gsize tag;
    char *href;
} Link;

static void link_clear(gpointer data)
{
    g_free(((Link *)data)->href);
}

static gboolean has_link(const GArray *links, gsize tag, const char *href)
{
    for (guint i = 0; i < links->len; i++) {
        const Link *link = &g_array_index(links, Link, i);
        if (link->tag == tag)
            return g_str_equal(link->href, href);
    }
    return FALSE;
}

static GArray *our_links(const char *text, gsize length)
{
    g_autoptr(HtmlTokenizer) tokenizer = html_tokenizer_new(text, length);
    GArray *links = g_array_new(FALSE, FALSE, sizeof(Link));
    const HtmlToken *token;

    g_array_set_clear_func(links, link_clear);
    while ((token = html_tokenizer_next(tokenizer))->kind != HTML_END) {
        if (token->kind != HTML_START_TAG ||
            (!html_range_is(text, token->name, "a") && !html_range_is(text, token->name, "area")))
            continue;
        for (guint i = 0; i < token->n_attributes; i++) {
            const HtmlAttribute *attribute = &token->attributes[i];
            if (attribute->repeated || !html_range_is(text, attribute->name, "href"))
                continue;
            GString *value = html_value_decode(text + attribute->value.at, attribute->value.length);
            const Link link = {token->range.at, g_string_free(value, FALSE)};
            g_array_append_val(links, link);
        }
    }
    return links;
}

static void compare(const char *text, const GumboNode *node, const GArray *links, guint *compared)
{
    if (node->type != GUMBO_NODE_ELEMENT && node->type != GUMBO_NODE_DOCUMENT)
        return;
    const GumboVector *children =
        node->type == GUMBO_NODE_ELEMENT ? &node->v.element.children : &node->v.document.children;
    const GumboElement *element = &node->v.element;

    if (node->type == GUMBO_NODE_ELEMENT &&
        (element->tag == GUMBO_TAG_A || element->tag == GUMBO_TAG_AREA)) {
        const GumboAttribute *href = gumbo_get_attribute(&element->attributes, "href");
        gsize tag = element->original_tag.data ? (gsize)(element->original_tag.data - text) : 0;
        /* It takes "</>" for a part of the tag behind it. */
        if (href && element->original_tag.data && g_ascii_tolower(text[tag + 1]) == 'a') {
            if (!has_link(links, tag, href->value))
                fail_msg("at %zu, %.*s, of %s", tag, (int)element->original_tag.length, text + tag,
                         text);
            ++*compared;
        }
    }
    for (guint i = 0; i < children->length; i++)
        compare(text, children->data[i], links, compared);
}

static void test_links_as_gumbo(void **state)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(20261126);
    guint compared = 0;

    (void)state;
    for (guint i = 0; i < TEXTS; i++) {
        g_autoptr(GString) text = g_string_new(NULL);
        for (gint32 n = g_rand_int_range(random, 1, PIECES_MAX); n > 0; n--)
            g_string_append(text, pieces[g_rand_int_range(random, 0, G_N_ELEMENTS(pieces))]);
        g_autoptr(GArray) links = our_links(text->str, text->len);
        GumboOutput *output = gumbo_parse_with_options(&kGumboDefaultOptions, text->str, text->len);
        compare(text->str, output->document, links, &compared);
        gumbo_destroy_output(&kGumboDefaultOptions, output);
    }
    assert_in_range(compared, LINKS_MIN, G_MAXUINT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_links_as_gumbo)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
