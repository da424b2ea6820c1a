/* SPDX-License-Identifier: MIT */
/* track_load [FILE...]: how fast messages are rewritten, links sealed and all; without files over a newsletter of 100 KB in each
 * transfer encoding, and over the same as the tokenizer alone reads it. */
#include <stdio.h>
#include <string.h>

#include "lib/html/tokenizer.h"
#include "lib/mime/transfer.h"
#include "tests/lib/tracking_fixture.h"

#define MEASURE_US 1000000
#define ROWS       100

static const char head[] =
    "<!doctype html><html><head><meta charset=\"utf-8\"><style type=\"text/css\">"
    "p{margin:10px 0;padding:0}a:hover{color:#2baadf}</style></head><body><center>"
    "<table width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\">\r\n";
static const char row[] =
    "<tr><td align=\"center\" valign=\"top\" style=\"padding:9px 18px;font-family:Helvetica,Arial,"
    "sans-serif;font-size:16px;line-height:150%%;color:#202020;\"><!--[if mso]><table><tr><td "
    "width=\"600\"><![endif]-->\r\n<a href=\"https://shop.test/offers/%u?utm_source=newsletter&amp;"
    "utm_medium=email&amp;utm_campaign=spring\" title=\"\" target=\"_blank\" style=\"font-weight:"
    "bold;text-decoration:none;color:#ffffff;\">\r\n<img alt=\"An offer\" src=\"https://images.test"
    "/offers/%u.png\" width=\"264\" style=\"max-width:264px;padding-bottom:0;display:inline\"></a>"
    "\r\n<p>Nothing gets spring going like a new pair of boots; ours come in seven colours, and "
    "each of them is waterproof up to the knee. Do not wait: the first hundred orders get socks "
    "for free, and everybody else the good feeling of having been early enough to read this.</p>"
    "<!--[if mso]></td></tr></table><![endif]--></td></tr>\r\n";
static const char tail[] = "</table></center></body></html>\r\n";

static GString *newsletter(void)
{
    GString *html = g_string_new(head);

    for (guint i = 0; i < ROWS; i++)
        g_string_append_printf(html, row, i, i);
    return g_string_append(html, tail);
}

static GString *message(const char *encoding, const GString *html)
{
    GString *text = g_string_new(NULL);

    g_string_printf(text,
                    "Content-Type: text/html; charset=utf-8\r\n"
                    "Content-Transfer-Encoding: %s\r\n\r\n",
                    encoding);
    if (encoding[0] == 'q')
        transfer_quote(text, (const guint8 *)html->str, html->len);
    else if (encoding[0] == 'b')
        transfer_base64(text, (const guint8 *)html->str, html->len);
    else
        g_string_append_len(text, html->str, (gssize)html->len);
    return text;
}

static guint rewrite(const char *text, gsize length, const char *wanted)
{
    g_auto(TrackingResult) result = {0};

    tracking_fixture_rewrite(text, length, wanted, &result);
    return result.links->len;
}

static guint tokenize(const char *text, gsize length, const char *wanted)
{
    g_autoptr(HtmlTokenizer) tokenizer = html_tokenizer_new(text, length);
    guint tags = 0;

    (void)wanted;
    for (HtmlKind kind; (kind = html_tokenizer_next(tokenizer)->kind) != HTML_END;)
        tags += kind == HTML_START_TAG;
    return tags;
}

static void measure(const char *name, const GString *text, const char *wanted,
                    guint (*run)(const char *, gsize, const char *))
{
    guint found = run(text->str, text->len, wanted);
    gint64 start = g_get_monotonic_time(), us;
    guint rounds = 0;

    do {
        run(text->str, text->len, wanted);
        rounds++;
        us = g_get_monotonic_time() - start;
    } while (us < MEASURE_US);
    printf("%-28s %8.1f MB/s  %7.0f us a message of %zu octets, %u found\n", name,
           (double)text->len * rounds / (double)us, (double)us / rounds, text->len, found);
}

int main(int argc, char **argv)
{
    static const char *const encodings[] = {"8bit", "quoted-printable", "base64"};
    g_autoptr(GString) html = newsletter();

    for (int i = 1; i < argc; i++) {
        g_autoptr(GString) text = g_string_new(NULL);
        g_autofree char *octets = NULL;
        gsize length;
        if (!g_file_get_contents(argv[i], &octets, &length, NULL))
            return 1;
        g_string_append_len(text, octets, (gssize)length);
        measure(argv[i], text, "cot", rewrite);
    }
    if (argc > 1)
        return 0;
    measure("tokenizer alone", html, "", tokenize);
    for (guint i = 0; i < G_N_ELEMENTS(encodings); i++) {
        g_autoptr(GString) text = message(encodings[i], html);
        g_autofree char *off = g_strdup_printf("%s, not tracked", encodings[i]);
        measure(encodings[i], text, "cot", rewrite);
        measure(off, text, "", rewrite);
    }
    return 0;
}
