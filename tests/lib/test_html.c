/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/html/foreign.h"
#include "lib/html/reference.h"
#include "lib/html/tokenizer.h"
#include "tests/lib/testing.h"

static void append_range(GString *out, const char *text, HtmlRange range)
{
    g_string_append_len(out, text + range.at, (gssize)range.length);
}

static void append_token(GString *out, const char *text, const HtmlToken *token)
{
    static const char marks[] = {[HTML_END] = '$',
                                 [HTML_TEXT] = 'T',
                                 [HTML_START_TAG] = 'S',
                                 [HTML_END_TAG] = 'E',
                                 [HTML_COMMENT] = 'C'};

    g_string_append_printf(out, "%c(", marks[token->kind]);
    if (token->kind != HTML_START_TAG && token->kind != HTML_END_TAG) {
        append_range(out, text, token->range);
    } else {
        append_range(out, text, token->name);
        for (guint i = 0; i < token->n_attributes; i++) {
            const HtmlAttribute *attribute = &token->attributes[i];
            g_string_append(out, attribute->repeated ? "|!" : "|");
            append_range(out, text, attribute->name);
            g_string_append_printf(out, "%c", attribute->quote ? attribute->quote : ':');
            append_range(out, text, attribute->value);
        }
        g_string_append(out, token->self_closing ? "|/" : "");
    }
    g_string_append_c(out, ')');
}

/* What the tokens of text are; foreign: as in svg. Ranges must cover the text without gaps. */
static char *tokens(const char *text, gsize length, gboolean foreign)
{
    g_autoptr(HtmlTokenizer) tokenizer = html_tokenizer_new(text, length);
    GString *out = g_string_new(NULL);
    gsize at = 0;

    for (;;) {
        html_tokenizer_set_foreign(tokenizer, foreign);
        const HtmlToken *token = html_tokenizer_next(tokenizer);
        assert_int_equal(token->range.at, at);
        at += token->range.length;
        if (token->kind == HTML_END && token->range.length == 0)
            break;
        append_token(out, text, token);
    }
    assert_int_equal(at, length);
    return g_string_free(out, FALSE);
}

static void test_html_tokenizer_next_cases(void **state)
{
    static const struct {
        const char *text, *tokens;
    } cases[] = {
        {"", ""},
        {"a<b>c</b>", "T(a)S(b)T(c)E(b)"},
        {"<A HREF=\"x\" Class='y'>", "S(A|HREF\"x|Class'y)"},
        {"<a href=x/y>", "S(a|href:x/y)"},
        {"<a href = x>", "S(a|href:x)"},
        {"<a href=>", "S(a|href:)"},
        {"<a href=\"\">", "S(a|href\")"},
        {"<a href=\n\t\"x\">", "S(a|href\"x)"},
        {"<a href=\"x\"class=y>", "S(a|href\"x|class:y)"},
        {"<a href=\"a>b\">", "S(a|href\"a>b)"},
        {"<a href='x' HREF='y'>", "S(a|href'x|!HREF'y)"},
        {"<a =x y>", "S(a|=x:|y:)"},
        {"<a b\"c=d>", "S(a|b\"c:d)"},
        {"<a <b>", "S(a|<b:)"},
        {"<br/>", "S(br|/)"},
        {"<br/ >", "S(br)"},
        {"<br a=b/>", "S(br|a:b/)"},
        {"<br a / b>", "S(br|a:|b:)"},
        {"<br a/=b>", "S(br|a:|=b:)"},
        {"<a\fb\r\nc>", "S(a|b:|c:)"},
        {"a < b", "T(a < b)"},
        {"a <3 b", "T(a <3 b)"},
        {"<", "T(<)"},
        {"</", "T(</)"},
        {"</>x", "C(</>)T(x)"},
        {"</ a>x", "C(</ a>)T(x)"},
        {"<?xml a?>x", "C(<?xml a?>)T(x)"},
        {"<!doctype html>x", "C(<!doctype html>)T(x)"},
        {"<!-->x", "C(<!-->)T(x)"},
        {"<!--->x", "C(<!--->)T(x)"},
        {"<!---->x", "C(<!---->)T(x)"},
        {"<!--a--!>x", "C(<!--a--!>)T(x)"},
        {"<!--a->b-->x", "C(<!--a->b-->)T(x)"},
        {"<!--a<!--b-->x", "C(<!--a<!--b-->)T(x)"},
        {"<!--a", "C(<!--a)"},
        {"<!--[if mso]><a href=x><![endif]-->y", "C(<!--[if mso]><a href=x><![endif]-->)T(y)"},
        {"<![if !mso]><a>", "C(<![if !mso]>)S(a)"},
        {"<![CDATA[<a>]]>", "C(<![CDATA[<a>)T(]]>)"},
        {"<a href=x", "$(<a href=x)"},
        {"x<a href='y>", "T(x)$(<a href='y>)"},
        {"<title><a></title>x", "S(title)T(<a>)E(title)T(x)"},
        {"<TITLE></titlex></Title >x", "S(TITLE)T(</titlex>)E(Title)T(x)"},
        {"<style>a</style", "S(style)T(a</style)"},
        {"<style><!--</style>-->", "S(style)T(<!--)E(style)T(-->)"},
        {"<textarea></textarea/>x", "S(textarea)E(textarea|/)T(x)"},
        {"<script>a<b</script>c", "S(script)T(a<b)E(script)T(c)"},
        {"<script><!--</script>c", "S(script)T(<!--)E(script)T(c)"},
        {"<script><!--<script></script></script>c",
         "S(script)T(<!--<script></script>)E(script)T(c)"},
        {"<script><!--><script></script>c", "S(script)T(<!--><script>)E(script)T(c)"},
        {"<script><!--<script>--></script>c", "S(script)T(<!--<script>-->)E(script)T(c)"},
        {"<script><!-<script></script>c", "S(script)T(<!-<script>)E(script)T(c)"},
        {"<plaintext></plaintext><a>", "S(plaintext)T(</plaintext><a>)"},
        {"<noscript><a></noscript>", "S(noscript)S(a)E(noscript)"},
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *found = tokens(cases[i].text, strlen(cases[i].text), FALSE);
        if (strcmp(found, cases[i].tokens) != 0)
            fail_msg("%s: %s, not %s", cases[i].text, found, cases[i].tokens);
    }
}

static void test_html_tokenizer_next_foreign(void **state)
{
    static const struct {
        const char *text, *tokens;
    } cases[] = {
        {"<title><a></title>", "S(title)S(a)E(title)"},
        {"<![CDATA[<a>]]>x", "C(<![CDATA[<a>]]>)T(x)"},
        {"<![cdata[<a>]]>x", "C(<![cdata[<a>)T(]]>x)"},
        {"<![CDATA[<a>]]", "C(<![CDATA[<a>]])"},
        {"<![CDATA[]]]>x", "C(<![CDATA[]]]>)T(x)"},
        {"<script><a></script>", "S(script)S(a)E(script)"},
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *found = tokens(cases[i].text, strlen(cases[i].text), TRUE);
        if (strcmp(found, cases[i].tokens) != 0)
            fail_msg("%s: %s, not %s", cases[i].text, found, cases[i].tokens);
    }
}

static void test_html_tokenizer_next_nul(void **state)
{
    static const char text[] = "a\0<b\0 c\0=\"\0\"\0>d\0";
    (void)state;
    g_autoptr(HtmlTokenizer) tokenizer = html_tokenizer_new(text, sizeof text - 1);
    const HtmlToken *token = html_tokenizer_next(tokenizer);

    assert_int_equal(token->range.length, 2);
    token = html_tokenizer_next(tokenizer);
    assert_int_equal(token->kind, HTML_START_TAG);
    assert_int_equal(token->name.length, 2);
    assert_int_equal(token->n_attributes, 2);
    assert_int_equal(token->attributes[0].name.length, 2);
    assert_int_equal(token->attributes[0].value.length, 1);
}

static void test_html_tokenizer_next_many_attributes(void **state)
{
    g_autoptr(GString) text = g_string_new("<a");

    (void)state;
    for (guint i = 0; i < HTML_ATTRIBUTES_MAX + 50; i++)
        g_string_append_printf(text, " a%u=%u", i, i);
    g_string_append(text, "/>x");
    g_autoptr(HtmlTokenizer) tokenizer = html_tokenizer_new(text->str, text->len);
    const HtmlToken *token = html_tokenizer_next(tokenizer);
    assert_int_equal(token->kind, HTML_START_TAG);
    assert_int_equal(token->n_attributes, HTML_ATTRIBUTES_MAX);
    assert_int_equal(html_tokenizer_next(tokenizer)->range.length, 1);
}

/* Where each tag is: h HTML, f foreign, ! lost. */
static char *places(const char *text)
{
    g_autoptr(HtmlTokenizer) tokenizer = html_tokenizer_new(text, strlen(text));
    g_autoptr(HtmlForeign) foreign = html_foreign_new(text);
    GString *out = g_string_new(NULL);
    const HtmlToken *token;

    while ((token = html_tokenizer_next(tokenizer))->kind != HTML_END) {
        HtmlPlace place = html_foreign_take(foreign, token);
        if (token->kind == HTML_START_TAG || token->kind == HTML_END_TAG)
            g_string_append_c(out, "hf!"[place]);
        html_tokenizer_set_foreign(tokenizer, html_foreign_is_open(foreign));
    }
    return g_string_free(out, FALSE);
}

static void test_html_foreign_take_cases(void **state)
{
    static const struct {
        const char *text, *places;
    } cases[] = {
        {"<a></a>", "hh"},
        {"<SVG><g></g></svg><a>", "ffffh"},
        {"<svg/><a>", "fh"},
        {"<math><mi>x</mi></math><a>", "ffffh"},
        {"<svg><path/></svg><a>", "fffh"},
        {"<svg><g><path></svg><a>", "ffffh"},
        {"<svg><title>x</title></svg><a>", "ffffh"},
        {"<svg><style><a></style></svg><a>", "fffffh"},
        {"<svg><![CDATA[<a>]]></svg><a>", "ffh"},
        {"<svg><g><p><a>", "ffhh"},
        {"<svg><font><font color=x><a>", "ffhh"},
        {"<svg></p><a>", "f!!"},
        {"<p><svg></p><a></svg><a>", "hf!!!!"},
        {"<svg><title><a>", "ff!"},
        {"<svg><foreignObject><div>", "ff!"},
        {"<math><annotation-xml><svg>", "ff!"},
        {"<select><svg><a>", "h!!"},
        {"<select></select><svg></svg><a>", "hhffh"},
        {"<title><svg></title><a>", "hhh"},
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *found = places(cases[i].text);
        if (strcmp(found, cases[i].places) != 0)
            fail_msg("%s: %s, not %s", cases[i].text, found, cases[i].places);
    }
}

static void test_html_foreign_take_deep(void **state)
{
    g_autoptr(GString) text = g_string_new("<svg>");

    (void)state;
    for (guint i = 1; i < HTML_FOREIGN_MAX; i++)
        g_string_append(text, "<g>");
    g_string_append(text, "</svg><a><svg>");
    g_autofree char *fits = places(text->str);
    assert_true(g_str_has_suffix(fits, "ffhf"));
    g_string_insert(text, 5, "<g>");
    g_autofree char *deep = places(text->str);
    assert_true(g_str_has_suffix(deep, "f!!!!"));
}

static void test_html_value_decode_cases(void **state)
{
    static const struct {
        const char *text, *value;
    } cases[] = {
        {"", ""},
        {"a&b=c", "a&b=c"},
        {"a&amp;b", "a&b"},
        {"a&AMP;b&amp", "a&b&"},
        {"a&ampb", "a&ampb"},
        {"a&amp=b", "a&amp=b"},
        {"a&amp/b", "a&/b"},
        {"x?a=1&copy=2", "x?a=1&copy=2"},
        {"x?a=1&copy;=2", "x?a=1\302\251=2"},
        {"x?a=1&notit;", "x?a=1&notit;"},
        {"x?a=1&notin;", "x?a=1\342\210\211"},
        {"&lt", "<"},
        {"&lt;&GT;", "<>"},
        {"&Lt;", "\342\211\252"},
        {"&nosuch;", "&nosuch;"},
        {"&;&", "&;&"},
        {"&#38;&#x26;&#X26&#38x", "&&&&x"},
        {"&#;&#x;&#xg", "&#;&#x;&#xg"},
        {"&#0;&#xd800;&#x110000;&#99999999999999;",
         "\357\277\275\357\277\275\357\277\275\357\277\275"},
        {"&#x80;&#x81;&#150;", "\342\202\254\302\201\342\200\223"},
        {"&CounterClockwiseContourIntegral;", "\342\210\263"},
        {"&CounterClockwiseContourIntegral", "&CounterClockwiseContourIntegral"},
        {"&NotEqualTilde;", "\342\211\202\314\270"},
        {"\377&amp;\n", "\377&\n"},
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) value = html_value_decode(cases[i].text, strlen(cases[i].text));
        if (strcmp(value->str, cases[i].value) != 0)
            fail_msg("%s: %s, not %s", cases[i].text, value->str, cases[i].value);
    }
}

static void test_html_value_is_doubtful_cases(void **state)
{
    static const struct {
        const char *text;
        gboolean doubtful;
    } cases[] = {
        {"", FALSE},
        {"?a=1&b=2;", FALSE},
        {"?a=1&copy=2&timestamp=3", FALSE},
        {"?a=1&amp;b=2&copy;&lt;", FALSE},
        {"?a=1&copy/;", FALSE},
        {"?a=1&copy=2&amp;b=3", TRUE},
        {"?a=1;&timestamp=2", TRUE},
        {"?a=1&copy=2;", TRUE},
        {"?a=1&notit;", TRUE},
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        if (html_value_is_doubtful(cases[i].text, strlen(cases[i].text)) != cases[i].doubtful)
            fail_msg("%s", cases[i].text);
}

static void test_html_value_encode_comes_back(void **state)
{
    char all[512];

    (void)state;
    for (guint i = 0; i < sizeof all; i++)
        all[i] = (char)i;
    g_autoptr(GString) encoded = html_value_encode(all, sizeof all);
    g_autoptr(GString) decoded = html_value_decode(encoded->str, encoded->len);
    assert_int_equal(decoded->len, sizeof all);
    assert_memory_equal(decoded->str, all, sizeof all);
    assert_null(strpbrk(encoded->str + 1, "\"'<> "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_html_tokenizer_next_cases),
        cmocka_unit_test(test_html_tokenizer_next_foreign),
        cmocka_unit_test(test_html_tokenizer_next_nul),
        cmocka_unit_test(test_html_tokenizer_next_many_attributes),
        cmocka_unit_test(test_html_foreign_take_cases),
        cmocka_unit_test(test_html_foreign_take_deep),
        cmocka_unit_test(test_html_value_decode_cases),
        cmocka_unit_test(test_html_value_is_doubtful_cases),
        cmocka_unit_test(test_html_value_encode_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
