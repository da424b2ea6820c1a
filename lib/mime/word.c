/* SPDX-License-Identifier: MIT */
#include "lib/mime/word.h"

#include <string.h>

#include "lib/mime/charset.h"
#include "lib/mime/transfer.h"

#define CHARSET_MAX 64

/* One word: where its parts lie in the text. */
typedef struct {
    const char *charset, *text;
    gsize charset_length, text_length;
    gboolean base64;
    const char *end; /* behind it */
} Word;

/* Whether a word begins at p. White space in it is against the rules, and read all the same. */
static gboolean read_word(const char *p, Word *word)
{
    if (p[0] != '=' || p[1] != '?')
        return FALSE;
    word->charset = p + 2;
    gsize all = strspn(word->charset, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "0123456789-_.:+*");
    const char *mark = word->charset + all;
    if (all == 0 || all > CHARSET_MAX || mark[0] != '?' || !mark[1] || !strchr("BbQq", mark[1]) ||
        mark[2] != '?')
        return FALSE;
    word->charset_length = MIN(all, strcspn(word->charset, "*")); /* a language: RFC 2231 */
    word->base64 = mark[1] == 'B' || mark[1] == 'b';
    word->text = mark + 3;
    word->text_length = strcspn(word->text, "?");
    word->end = word->text + word->text_length + 2;
    return word->text[word->text_length] == '?' && word->text[word->text_length + 1] == '=';
}

/* Section 4.2. */
static void unquote(GByteArray *out, const char *text, gsize length)
{
    for (gsize i = 0; i < length; i++) {
        guint8 octet = text[i] == '_' ? ' ' : (guint8)text[i];
        if (text[i] == '=' && i + 2 < length && g_ascii_isxdigit(text[i + 1]) &&
            g_ascii_isxdigit(text[i + 2])) {
            octet = (guint8)(g_ascii_xdigit_value(text[i + 1]) * 16 +
                             g_ascii_xdigit_value(text[i + 2]));
            i += 2;
        }
        g_byte_array_append(out, &octet, 1);
    }
}

static void append_octets(GByteArray *out, const Word *word)
{
    if (!word->base64) {
        unquote(out, word->text, word->text_length);
        return;
    }
    gsize length;
    g_autofree guint8 *octets = transfer_unbase64(word->text, word->text_length, &length);
    g_byte_array_append(out, octets, (guint)length);
}

static gboolean same_charset(const Word *a, const Word *b)
{
    return a->charset_length == b->charset_length &&
           g_ascii_strncasecmp(a->charset, b->charset, a->charset_length) == 0;
}

static void append_text(GString *out, const Word *word, const GByteArray *octets)
{
    g_autofree char *charset = g_strndup(word->charset, word->charset_length);
    g_autofree char *text =
        charset_text(charset, octets->len ? (const char *)octets->data : "", octets->len);

    g_string_append(out, text);
}

/* The words from the first on as one. Where they end. */
static const char *join_run(const Word *first, GString *out)
{
    g_autoptr(GByteArray) octets = g_byte_array_new();
    g_autoptr(GString) text = g_string_new(NULL);
    Word word = *first, next;

    append_octets(octets, &word);
    while (read_word(word.end + strspn(word.end, " \t\r\n"), &next)) {
        if (!same_charset(&word, &next)) {
            append_text(text, &word, octets);
            g_byte_array_set_size(octets, 0);
        }
        append_octets(octets, &next);
        word = next;
    }
    append_text(text, &word, octets);
    g_autofree char *encoded = g_base64_encode((const guchar *)text->str, text->len);
    if (text->len > 0)
        g_string_append_printf(out, "=?UTF-8?B?%s?=", encoded);
    return word.end;
}

char *word_join(const char *text)
{
    GString *out = g_string_sized_new(strlen(text) + 1);
    Word word;

    while (*text) {
        gsize plain = strcspn(text, "=");
        g_string_append_len(out, text, (gssize)plain);
        text += plain;
        if (read_word(text, &word))
            text = join_run(&word, out);
        else if (*text)
            g_string_append_c(out, *text++);
    }
    return g_string_free(out, FALSE);
}
