/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/mime/field.h"
#include "tests/lib/testing.h"
#include "tests/lib/tracking_fixture.h"

/* A body with links of ours written {URL}, and the pixel {}. */
static char *readable(const char *body, gsize length)
{
    GString *out = g_string_new(NULL);
    const char *end = body + length, *own, *behind;
    char *url;

    while ((own = tracking_fixture_find(body, (gsize)(end - body), &behind, &url))) {
        g_autofree char *target = url ? tracking_fixture_open(url) : g_strdup("");
        g_string_append_len(out, body, own - body);
        g_string_append_printf(out, "{%s}", target ? target : "?");
        g_free(url);
        body = behind;
    }
    g_string_append_len(out, body, end - body);
    return g_string_free(out, FALSE);
}

/* "word=count" of all that was skipped. */
static char *skips(const TrackingResult *result)
{
    GString *out = g_string_new(NULL);

    for (guint i = 0; i < TRACKING_SKIP_COUNT; i++)
        if (result->skipped[i])
            g_string_append_printf(out, "%s%s=%u", out->len ? " " : "", tracking_skip_word(i),
                                   result->skipped[i]);
    return g_string_free(out, FALSE);
}

typedef struct {
    const char *body;
    const char *want;    /* NULL: as it was */
    const char *skipped; /* NULL: nothing */
} Sample;

static void check(const char *header, const char *wanted, const Sample *sample)
{
    g_autofree char *message = g_strconcat(header, "\n", sample->body, NULL);
    g_auto(TrackingResult) result = {0};

    tracking_fixture_rewrite(message, strlen(message), wanted, &result);
    const char *body = result.body ? result.body->str : sample->body;
    g_autofree char *found = readable(body, strlen(body));
    g_autofree char *skipped = skips(&result);
    if (strcmp(found, sample->want ? sample->want : sample->body) != 0)
        fail_msg("%s\n%s\nnot %s", sample->body, found, sample->want);
    if (strcmp(skipped, sample->skipped ? sample->skipped : "") != 0)
        fail_msg("%s\nskipped %s", sample->body, skipped);
    assert_int_equal(result.growth, (gssize)strlen(body) - (gssize)strlen(sample->body));
    assert_true(!result.body == !sample->want);
}

#define CHECK_ALL(header, wanted, samples)                                                         \
    for (guint i = 0; i < G_N_ELEMENTS(samples); i++)                                              \
    check(header, wanted, &samples[i])

static void test_tracking_rewrite_text(void **state)
{
    static const Sample samples[] = {
        {"http://a.test/b", "{http://a.test/b}", NULL},
        {"See HTTPS://A.test, and\r\n> http://b.test/c.\r\n",
         "See {HTTPS://A.test}, and\r\n> {http://b.test/c}.\r\n", NULL},
        {"(http://a.test/b)", "({http://a.test/b})", NULL},
        {"(see http://a.test/b).", "(see {http://a.test/b}).", NULL},
        {"http://a.test/b_(c)", "{http://a.test/b_(c)}", NULL},
        {"(http://a.test/b_(c))?!", "({http://a.test/b_(c)})?!", NULL},
        {"<http://a.test/b>", "<{http://a.test/b}>", NULL},
        {"<http://a.test/b)>x", "<{http://a.test/b)}>x", NULL},
        {"\"http://a.test/b.\" (http://a.test/b.)", "\"{http://a.test/b}.\" ({http://a.test/b}.)",
         NULL},
        {"\"http://a.test/b\"x", "\"{http://a.test/b}\"x", NULL},
        {"'http://a.test/b'.", "'{http://a.test/b}'.", NULL},
        {"[x](http://a.test/b),[y](http://c.test/d)",
         "[x]({http://a.test/b}),[y]({http://c.test/d})", NULL},
        {"*http://a.test/b*", "*{http://a.test/b}*", NULL},
        {"_http://a.test/b_", NULL, NULL}, /* nobody takes it for a URL */
        {"http://a.test/?u=http://b.test/", "{http://a.test/?u=http://b.test/}", NULL},
        {"http://a.test/b?c=d&amp;e", "{http://a.test/b?c=d&amp;e}", NULL},
        {"http://a.test/b\302\240!", "{http://a.test/b}\302\240!", NULL},
        {"\302\253http://a.test/b\302\273", "\302\253{http://a.test/b}\302\273", NULL},
        {"\343\201\257http://a.test/b\343\200\202", "\343\201\257{http://a.test/b}\343\200\202",
         NULL},
        {"<http://a.test/\303\244>", "<{http://a.test/\303\244}>", NULL},
        {"a http+notrack://a.test/ b https+notrack://b.test", "a http://a.test/ b https://b.test",
         "opted-out=2"},
        {"http://a.test/b\342\200\246 c", "{http://a.test/b}\342\200\246 c", NULL},
        {"\342\200\234http://a.test/b\342\200\235c", "\342\200\234{http://a.test/b}\342\200\235c",
         NULL},
        {"http://a.test/b\343\200\202c", "{http://a.test/b}\343\200\202c", NULL},
        {"http://a.test/1939\342\200\2231945", NULL, "unclear=1"},
        {"http://a.test/o\342\200\231\303\244", NULL, "unclear=1"},
        {"http://a.test/b,http://c.test\343\200\202", NULL, "unclear=1"},
        {"<http://a.test/b.>", NULL, "unclear=1"},
        {"http://a.test/\303\244", NULL, "unclear=1"},
        {"http://a.test/b\343\202\222", NULL, "unclear=1"},
        {"http://a.test,http://b.test", NULL, "unclear=1"},
        {"http://a.test/b)c", NULL, "unclear=1"},
        {"http://a.test/b*", NULL, "unclear=1"},
        {"http://a.test/(b", NULL, "unclear=1"},
        {"http://a.test/b|c", NULL, "unclear=1"},
        {"'http://a.test/'s", NULL, "unclear=1"},
        {"<http://a.test/b\r\nc>", NULL, "unclear=1"},
        {"<http://a.test/b c>", NULL, "unclear=1"},
        {"http:// a", NULL, "host=1"},
        {"http://", NULL, "host=1"},
        {"http://.", NULL, "host=1"},
        {"http://u:p@a.test/", NULL, "login=1"},
        {"http://a.test/{{id}}", NULL, "placeholder=1"},
        {"http://t.track.test/c/x", NULL, "ours=1"},
        {"http://www.below.test/", NULL, "excluded=1"},
        {"xhttp://a.test ftp://a.test a+http://b.test www.a.test ://", NULL, NULL},
        {"-----BEGIN PGP MESSAGE-----\r\nhttp://a.test/\r\nhttp+notrack://a.test", NULL, "pgp=1"},
    };

    (void)state;
    CHECK_ALL("Content-Type: text/plain; charset=utf-8\n", "ct", samples);
}

/* Where the charset does not say what is beyond ASCII, and where lines may end within a word. */
static void test_tracking_rewrite_text_charset(void **state)
{
    static const Sample latin[] = {
        {"http://a.test/b \344", "{http://a.test/b} \344", NULL},
        {"http://a.test/b\240", NULL, "unclear=1"},
        {"<http://a.test/\344>", NULL, "charset=1"},
    };
    static const Sample flowed[] = {
        {"http://a.test/b \r\nc", NULL, "unclear=1"},
        {"http://a.test/b c \r\nd", "{http://a.test/b} c \r\nd", NULL},
    };
    static const Sample plain[] = {{"http://a.test/b \r\nc", "{http://a.test/b} \r\nc", NULL}};
    static const Sample unknown[] = {{"http://a.test/", NULL, "part-charset=1"}};

    (void)state;
    CHECK_ALL("Content-Type: text/plain; charset=ISO-8859-1\n", "ct", latin);
    CHECK_ALL("Content-Type: text/plain; charset=Shift_JIS\n", "ct", latin);
    CHECK_ALL("Content-Type: text/plain; charset=UTF8\n", "ct", plain);
    CHECK_ALL("Content-Type: text/plain; format=flowed; delsp=yes\n", "ct", flowed);
    CHECK_ALL("Content-Type: text/plain; format=flowed\n", "ct", plain);
    CHECK_ALL("", "ct", plain);
    CHECK_ALL("Content-Type: text/plain; charset=utf-16\n", "ct", unknown);
    CHECK_ALL("Content-Type: text/plain; charset=utf-7\n", "ct", unknown);
    CHECK_ALL("Content-Type: text/plain; charset=iso-2022-jp\n", "ct", unknown);
    CHECK_ALL("Content-Type: text/plain; charset=x-own\n", "ct", unknown);
}

static void test_tracking_rewrite_html(void **state)
{
    static const Sample samples[] = {
        {"<a href=\"http://a.test/?b&amp;c\">", "<a href=\"{http://a.test/?b&c}\">{}", NULL},
        {"<A HREF=http://a.test/>x</A></BODY>\n</HTML>",
         "<A HREF={http://a.test/}>x</A>{}</BODY>\n</HTML>", NULL},
        {"<area href=' http://a.test '></html>", "<area href='{http://a.test}'>{}</html>", NULL},
        {"</body><a href='http://a.test'></body>", "</body><a href='{http://a.test}'>{}</body>",
         NULL},
        {"<link href='http://a.test'><img src='http://a.test'>http://a.test",
         "<link href='http://a.test'><img src='http://a.test'>http://a.test{}", NULL},
        {"<!--[if mso]><a href='http://a.test'><![endif]-->",
         "<!--[if mso]><a href='http://a.test'><![endif]-->{}", NULL},
        {"<a href='#x'><a href=''><a name=x>", "<a href='#x'><a href=''><a name=x>{}", "scheme=1"},
        {"<template><a href='http://a.test'></template>",
         "<template><a href='http://a.test'></template>{}", "template=1"},
        {"<svg><a href='http://a.test'></a></svg>", "<svg><a href='http://a.test'></a></svg>{}",
         "foreign=1"},
        {"<svg><b></b></svg>", "<svg><b></b></svg>{}", NULL},
        {"<svg><title><a href='http://a.test'></title></svg><a href='http://b.test'>", NULL,
         "foreign=2 no-place=1"},
        {"<a data-notrack href='http://a.test'>", "<a href='http://a.test'>{}", "opted-out=1"},
        {"<a href='http&#43;notrack://a.test?b=c'>", "<a href='http://a.test?b&#61;c'>{}",
         "opted-out=1"},
        {"<!--[if mso]><a href='http+notrack://a.test'><![endif]-->",
         "<!--[if mso]><a href='http://a.test'><![endif]-->{}", NULL},
        {"<a href='http://a.test?copy=1&copy=1&amp;b'>",
         "<a href='http://a.test?copy=1&copy=1&amp;b'>{}", "unclear=1"},
        {"<a href='http://a.test/\344'>", "<a href='http://a.test/\344'>{}", "charset=1"},
        {"x<!-- ", NULL, "no-place=1"},
        {"x<!--!>", NULL, "no-place=1"},
        {"x<!-- a>", NULL, "no-place=1"},
        {"x<!-- a --!>", "x<!-- a --!>{}", NULL},
        {"x<!a", NULL, "no-place=1"},
        {"x</", NULL, "no-place=1"},
        {"x<a", NULL, "no-place=1"},
        {"x<title>y", NULL, "no-place=1"},
        {"x<plaintext>y</body>", NULL, "no-place=1"},
        {"x<template>y</body>", NULL, "no-place=1"},
        {"x<svg>", NULL, "no-place=1"},
        {"<frameset></frameset>", NULL, "no-place=1"},
        {"x<img src='https://T.track.test/o/x'>", NULL, "pixel=1"},
        {"-----BEGIN PGP MESSAGE-----<a href=http://a.test>", NULL, "pgp=1"},
    };

    (void)state;
    CHECK_ALL("Content-Type: text/html; charset=utf-8\n", "co", samples);
}

static void test_tracking_rewrite_off(void **state)
{
    static const Sample samples[] = {
        {"<a href=http://a.test><svg><a href='http://b.test'></body>", NULL, NULL},
        {"<a href='https+notrack://a.test'><a data-notrack href=b>",
         "<a href='https://a.test'><a href=b>", NULL},
    };
    static const Sample wishes[] = {{"<a href=http://a.test></body>", NULL, NULL}};
    static const Sample clicks[] = {
        {"<a href=http://a.test></body>", "<a href={http://a.test}></body>", NULL}};
    static const Sample opens[] = {
        {"<a href=http://a.test></body>", "<a href=http://a.test>{}</body>", NULL}};
    static const Sample all[] = {
        {"<a href=http://a.test></body>", "<a href={http://a.test}>{}</body>", NULL}};

    (void)state;
    CHECK_ALL("Content-Type: text/html\n", "", samples);
    CHECK_ALL("Content-Type: text/html\nX-AMP: skip\n", "co", wishes);
    CHECK_ALL("Content-Type: text/html\nX-Outrider-Track: none\n", "co", wishes);
    CHECK_ALL("Content-Type: text/html\nX-Outrider-Track: nonsense\n", "co", wishes);
    CHECK_ALL("Content-Type: text/html\nX-Outrider-Track: opens\nX-Outrider-Track: clicks\n", "co",
              wishes);
    CHECK_ALL("Content-Type: text/html\nX-OUTRIDER-TRACK:  Clicks \n", "co", clicks);
    CHECK_ALL("Content-Type: text/html\nX-Outrider-Track: opens\n", "co", opens);
    CHECK_ALL("Content-Type: text/html\nX-Outrider-Track: all\nX-AMP: yes\n", "co", all);
    CHECK_ALL("Content-Type: text/html\nX-Outrider-Track: all\n", "c", clicks);
}

#define PART(type, text) "--b\r\nContent-Type: " type "\r\n\r\n" text "\r\n"
#define LINK             "<a href=http://a.test>"
#define TRACKED          "<a href={http://a.test}>"

static void test_tracking_rewrite_parts(void **state)
{
    static const Sample mixed[] = {
        {PART("text/html", LINK) PART("text/html", LINK) "--b--",
         PART("text/html", TRACKED "{}") PART("text/html", TRACKED) "--b--", NULL},
        {PART("text/html; name=a.html", LINK) PART("text/calendar", LINK)
             PART("text/x-amp-html", LINK) PART("application/pkcs7-mime", LINK) "--b--",
         NULL, "file=1 no-html=1"},
        {PART("message/rfc822", "Content-Type: text/html\r\n\r\n" LINK) "--b--", NULL,
         "enclosed=1 no-html=1"},
        {PART("multipart/signed; boundary=c", "--c\r\nContent-Type: text/html\r\n\r\n" LINK
                                              "\r\n--c--") PART("text/html", LINK) "--b--",
         PART("multipart/signed; boundary=c", "--c\r\nContent-Type: text/html\r\n\r\n" LINK
                                              "\r\n--c--") PART("text/html", TRACKED "{}") "--b--",
         "signed=1"},
        {PART("text/plain", "http://a.test") "--b--", PART("text/plain", "{http://a.test}") "--b--",
         "no-html=1"},
        {PART("text/html\r\nContent-Transfer-Encoding: base64", "!!") "--b--", NULL, "encoding=1"},
        {PART("text/html\r\nContent-Transfer-Encoding: x-own", LINK) "--b--", NULL, "encoding=1"},
        {PART("text/html\r\nContent-Type: text/plain", LINK) "--b--", NULL, "header=1 no-html=1"},
    };
    static const Sample alternative[] = {
        {PART("text/plain", "http://a.test") PART("text/html", LINK) PART("text/html", LINK)
             PART("text/x-amp-html", LINK) "--b--",
         PART("text/plain", "{http://a.test}") PART("text/html", TRACKED)
             PART("text/html", TRACKED "{}") PART("text/x-amp-html", LINK) "--b--",
         NULL},
        {PART("text/html", LINK) PART("text/html; charset=utf-16", LINK) "--b--",
         PART("text/html", TRACKED) PART("text/html; charset=utf-16", LINK) "--b--",
         "part-charset=1"},
    };
    static const Sample whole[] = {{PART("text/html", LINK) "--b--", NULL, "signed=1 no-html=1"}};
    static const Sample smime[] = {{LINK, NULL, "no-html=1"}};
    static const Sample file[] = {{LINK, NULL, "file=1 no-html=1"}};
    static const Sample twice[] = {{LINK, NULL, "structure=1"}};

    (void)state;
    CHECK_ALL("Content-Type: multipart/mixed; boundary=b\n", "cot", mixed);
    CHECK_ALL("Content-Type: multipart/alternative; boundary=b\n", "cot", alternative);
    CHECK_ALL("Content-Type: multipart/signed; boundary=b\n", "cot", whole);
    CHECK_ALL("Content-Type: multipart/encrypted; boundary=b\n", "cot", whole);
    CHECK_ALL("Content-Type: application/pkcs7-mime; smime-type=signed-data\n", "cot", smime);
    CHECK_ALL("Content-Type: text/html\nContent-Disposition: attachment\n", "cot", file);
    CHECK_ALL("Content-Type: text/html\nContent-Type: text/html\n", "cot", twice);
}

static char *repeat(const char *before, const char *text, gsize n, const char *after)
{
    GString *out = g_string_new(before);

    for (gsize i = 0; i < n; i++)
        g_string_append(out, text);
    g_string_append(out, after);
    return g_string_free(out, FALSE);
}

static void check_limit(const char *header, char *body, const char *want, const char *skipped)
{
    const Sample sample = {body, want, skipped};

    check(header, "cot", &sample);
    g_free(body);
}

static void test_tracking_rewrite_limits(void **state)
{
    static const char html[] = "Content-Type: text/html\n";
    g_auto(TrackingResult) result = {0};
    gsize most = TRACKING_LINKS_MAX, text_most = TRACKING_TEXT_MAX;

    (void)state;
    g_autofree char *fits = repeat("Content-Type: text/html\n\n", LINK, most, "");
    tracking_fixture_rewrite(fits, strlen(fits), "co", &result);
    assert_int_equal(result.links->len, TRACKING_LINKS_MAX);
    const TrackingLink *last = result.links->pdata[TRACKING_LINKS_MAX - 1];
    assert_int_equal(last->ordinal, TRACKING_LINKS_MAX);
    /* Beyond it nothing is tracked, but marks go. */
    g_autofree char *many = repeat("", LINK, most + 1, "<a href=http://b.test></body>");
    check_limit(html, repeat("", LINK, most + 1, "<a href=http+notrack://b.test></body>"), many,
                "links=1");
    check_limit("Content-Type: text/plain\n", repeat("", "http://a.test ", most + 1, ""), NULL,
                "links=1");
    check_limit(html, repeat(LINK, "x", text_most, "</body>"), NULL, "size=1");
    check_limit(html, repeat(LINK, "x", 4 * text_most, "</body>"), NULL, "size=1");
    /* A URL of a megabyte, NULs, elements 20,000 deep. */
    g_autofree char *pixel = repeat("<a href='http://a.test/", "x", 1 << 20, "'>{}</body>");
    check_limit(html, repeat("<a href='http://a.test/", "x", 1 << 20, "'></body>"), pixel,
                "length=1");
    check_limit("Content-Type: text/plain\n", repeat("http://a.test/", "x", 1 << 20, ""), NULL,
                "length=1 no-html=1");
    g_autofree char *deep = repeat("<body>", "<div>", 50000, TRACKED "{}</body>");
    check_limit(html, repeat("<body>", "<div>", 50000, LINK "</body>"), deep, NULL);
    check_limit(html, repeat("<svg>", "<g>", 20000, "</svg>" LINK), NULL, "foreign=1 no-place=1");
}

/* What repeats as often as fits; were it not linear, this would take hours. */
static void test_tracking_rewrite_is_linear(void **state)
{
    static const char *const pieces[] = {
        "<",
        "<a ",
        "<a href=",
        "<!--",
        "&",
        "&not",
        "<svg>",
        "</svg>",
        "<title>",
        "http://",
        "://",
        "<svg><title>",
        "+notrack://",
        "http+notrack://",
        "'",
        "<a href=http+notrack://x>",
        "<script><!--",
        "<select>",
        "</a",
        "(",
        "http://a.test/(",
        "[http://a.test/x](",
        "\0",
        "=\n",
        "--b\n",
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(pieces); i++) {
        static const char *const types[] = {"html", "plain"};
        for (guint type = 0; type < 2; type++) {
            gsize size = strlen(pieces[i]) ? strlen(pieces[i]) : 1;
            g_autoptr(GString) message = g_string_new(NULL);
            g_auto(TrackingResult) result = {0};
            g_string_printf(message, "Content-Type: text/%s\n\n", types[type]);
            for (gsize at = 0; at + size < TRACKING_TEXT_MAX; at += size)
                g_string_append_len(message, pieces[i], (gssize)size);
            tracking_fixture_rewrite(message->str, message->len, "cot", &result);
            assert_non_null(result.links);
        }
    }
}

static char *no_token(LinkKind kind, guint16 ordinal, const char *url, gpointer data)
{
    (void)kind;
    (void)ordinal;
    (void)url;
    ++*(guint *)data;
    return NULL;
}

static void test_tracking_rewrite_no_token(void **state)
{
    static const char body[] = LINK "</body>";
    const TrackingSettings settings = {.host = "t.test", .clicks = TRUE, .opens = TRUE};
    g_autoptr(GPtrArray) fields = mime_fields_new();
    g_auto(TrackingResult) result = {0};
    guint asked = 0;

    (void)state;
    mime_fields_add(fields, "Content-Type", "text/html");
    tracking_rewrite(fields, body, strlen(body), &settings, no_token, &asked, &result);
    assert_int_equal(asked, 2);
    assert_null(result.body);
    assert_false(result.pixel);
    assert_int_equal(result.links->len, 0);
    assert_int_equal(result.skipped[TRACKING_SKIP_TOKEN], 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tracking_rewrite_text),
        cmocka_unit_test(test_tracking_rewrite_text_charset),
        cmocka_unit_test(test_tracking_rewrite_html),
        cmocka_unit_test(test_tracking_rewrite_off),
        cmocka_unit_test(test_tracking_rewrite_parts),
        cmocka_unit_test(test_tracking_rewrite_limits),
        cmocka_unit_test(test_tracking_rewrite_is_linear),
        cmocka_unit_test(test_tracking_rewrite_no_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
