/* SPDX-License-Identifier: MIT */
#include "lib/mime/charset.h"

#include <errno.h>
#include <gmime/gmime.h>
#include <string.h>

#include "lib/mime/start.h"

#define NAME_MAX_LENGTH 40
#define CHUNK           4096
#define UNKNOWN         "\xef\xbf\xbd" /* U+FFFD */

/* Letters, digits and what names of charsets have: nothing that tells the converter how to go about it. */
static gboolean is_name(const char *charset)
{
    gsize length = strlen(charset);

    return length > 0 && length <= NAME_MAX_LENGTH &&
           strspn(charset, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                           "0123456789-_.:+") == length;
}

/* NULL: there is no such charset. */
static GString *convert(const char *charset, const char *data, gsize length)
{
    GIConv converter = (GIConv)-1;
    char chunk[CHUNK];
    char *in = g_memdup2(data, length), *at = in;
    GString *out = g_string_sized_new(length);

    mime_start();
    if (is_name(charset))
        converter = g_iconv_open("UTF-8", g_mime_charset_iconv_name(charset));
    while (converter != (GIConv)-1) {
        char *to = chunk;
        gsize room = sizeof chunk;
        gsize rc = g_iconv(converter, &at, &length, &to, &room);
        int why = errno;
        g_string_append_len(out, chunk, to - chunk);
        if (rc != (gsize)-1)
            break;
        if (why == E2BIG)
            continue;
        g_string_append(out, UNKNOWN);
        if (why != EILSEQ || length == 0)
            break; /* it ends amid a character */
        at++;
        length--;
    }
    g_free(in);
    if (converter != (GIConv)-1) {
        g_iconv_close(converter);
        return out;
    }
    g_string_free(out, TRUE);
    return NULL;
}

static gboolean is_utf8(const char *charset)
{
    return g_ascii_strcasecmp(charset, "utf-8") == 0 || g_ascii_strcasecmp(charset, "utf8") == 0;
}

/* In place. */
static void end_lines_with_lf(char *text)
{
    char *to = text;

    for (const char *from = text; *from; from++)
        if (from[0] != '\r' || from[1] != '\n')
            *to++ = *from;
    *to = '\0';
}

/* What the octets are to be read as. */
static const char *charset_of(const char *label, const char *data, gsize length)
{
    if (label && g_ascii_strcasecmp(label, "windows-1258") == 0)
        return "windows-1252";
    if (label && *label && g_ascii_strcasecmp(label, "us-ascii") != 0)
        return label;
    return g_utf8_validate_len(data, length, NULL) ? "utf-8" : "windows-1252";
}

char *charset_text(const char *charset, const char *data, gsize length)
{
    charset = charset_of(charset, data, length);
    GString *converted = is_utf8(charset) ? NULL : convert(charset, data, length);
    char *text = converted ? g_utf8_make_valid(converted->str, (gssize)converted->len)
                           : g_utf8_make_valid(data, (gssize)length);

    if (converted)
        g_string_free(converted, TRUE);
    end_lines_with_lf(text);
    return text;
}
