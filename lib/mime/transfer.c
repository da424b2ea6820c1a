/* SPDX-License-Identifier: MIT */
#include "lib/mime/transfer.h"

#include <string.h>

#include "lib/mime/field.h"

#define COLUMNS    76
#define QUOTE_ROOM 3 /* =XX */

/* What quoted-printable makes of an octet (RFC 2045 section 6.7). */
typedef enum {
    QUOTE_ALWAYS,
    QUOTE_NEVER,
    QUOTE_AT_END,   /* of a line */
    QUOTE_AT_BEGIN, /* "-" of boundaries, "." of SMTP, "F" of "From " in mailboxes */
} Quote;

/* clang-format off */
static const guint8 quotes[256] = {
    ['\t'] = QUOTE_AT_END, [' '] = QUOTE_AT_END, ['-'] = QUOTE_AT_BEGIN, ['.'] = QUOTE_AT_BEGIN, ['F'] = QUOTE_AT_BEGIN,
    ['!' ... ','] = QUOTE_NEVER, ['/' ... '<'] = QUOTE_NEVER, ['>' ... 'E'] = QUOTE_NEVER, ['G' ... '~'] = QUOTE_NEVER,
};
/* clang-format on */

static void quote_octet(char *to, guint8 octet)
{
    static const char digits[] = "0123456789ABCDEF";

    to[0] = '=';
    to[1] = digits[octet >> 4];
    to[2] = digits[octet & 15];
}

static gboolean at_line_end(const guint8 *p, const guint8 *end)
{
    return end - p >= 2 && p[0] == '\r' && p[1] == '\n';
}

static gboolean is_quoted(const guint8 *p, const guint8 *end, gboolean begin)
{
    switch ((Quote)quotes[*p]) {
    case QUOTE_NEVER:
        return FALSE;
    case QUOTE_AT_END:
        return p + 1 == end || at_line_end(p + 1, end);
    case QUOTE_AT_BEGIN:
        return begin;
    case QUOTE_ALWAYS:
    default:
        return TRUE;
    }
}

void transfer_quote(GString *out, const guint8 *data, gsize length)
{
    const guint8 *end = data + length;
    char line[COLUMNS + 2];
    gsize column = 0;

    for (const guint8 *p = data; p < end; p++) {
        gboolean ends = at_line_end(p, end);
        if (ends || column + QUOTE_ROOM > COLUMNS - 1) {
            memcpy(line + column, ends ? "\r\n" : "=\r\n", 3);
            g_string_append_len(out, line, (gssize)column + (ends ? 2 : 3));
            column = 0;
        }
        if (ends) {
            p++;
        } else if (is_quoted(p, end, column == 0)) {
            quote_octet(line + column, *p);
            column += QUOTE_ROOM;
        } else {
            line[column++] = (char)*p;
        }
    }
    g_string_append_len(out, line, (gssize)column);
}

gsize transfer_base64_line(const guint8 *data, gsize length, char line[TRANSFER_BASE64_ROOM])
{
    gint state = 0, save = 0;
    gsize n = g_base64_encode_step(data, length, FALSE, line, &state, &save);

    return n + g_base64_encode_close(FALSE, line + n, &state, &save);
}

void transfer_base64(GString *out, const guint8 *data, gsize length)
{
    char line[TRANSFER_BASE64_ROOM];

    for (gsize i = 0; i < length; i += TRANSFER_BASE64_OCTETS) {
        gsize n = transfer_base64_line(data + i, MIN(TRANSFER_BASE64_OCTETS, length - i), line);
        if (i)
            g_string_append(out, "\r\n");
        g_string_append_len(out, line, (gssize)n);
    }
}

/* The octets of the line at p, its end included; *content without LF or CRLF. */
static gsize line_length(const guint8 *p, gsize left, gsize *content)
{
    const guint8 *lf = memchr(p, '\n', left);
    gsize length = lf ? (gsize)(lf - p) + 1 : left;

    *content = lf ? length - 1 : length;
    if (lf && *content && p[*content - 1] == '\r')
        --*content;
    return length;
}

/* Breaks one long line before an escape or a plain octet. White space at the end stays with the last
 * piece: some decoders drop it, others do not, and both must find what they found before. */
static gboolean rewrap_quoted_line(GString *out, const guint8 *line, gsize content)
{
    gsize text = content;
    gsize column = 0;

    while (text && (line[text - 1] == ' ' || line[text - 1] == '\t'))
        text--;
    if (content - text > MIME_LINE_MAX - COLUMNS)
        return FALSE;
    for (gsize i = 0, step; i < text; i += step) {
        gboolean escape = line[i] == '=' && i + 1 < text;
        step = escape ? QUOTE_ROOM : 1;
        if (escape &&
            (i + 2 >= text || !g_ascii_isxdigit(line[i + 1]) || !g_ascii_isxdigit(line[i + 2])))
            return FALSE;
        if (column + QUOTE_ROOM > COLUMNS - 1 && !(line[i] == '=' && !escape)) {
            g_string_append(out, "=\r\n");
            column = 0;
        }
        if (column == 0 && i > 0 && line[i] == '-') {
            g_string_append(out, "=2D");
            column += QUOTE_ROOM;
        } else {
            g_string_append_len(out, (const char *)line + i, (gssize)step);
            column += (guint)step;
        }
    }
    g_string_append_len(out, (const char *)line + text, (gssize)(content - text));
    return TRUE;
}

gboolean transfer_rewrap_quoted(GString *out, const guint8 *data, gsize length)
{
    for (gsize at = 0; at < length;) {
        gsize content;
        gsize whole = line_length(data + at, length - at, &content);

        if (content <= MIME_LINE_MAX)
            g_string_append_len(out, (const char *)data + at, (gssize)content);
        else if (!rewrap_quoted_line(out, data + at, content))
            return FALSE;
        g_string_append_len(out, (const char *)data + at + content, (gssize)(whole - content));
        at += whole;
    }
    return TRUE;
}

gboolean transfer_rewrap_base64(GString *out, const guint8 *data, gsize length)
{
    for (gsize at = 0; at < length;) {
        gsize content;
        gsize whole = line_length(data + at, length - at, &content);

        if (content <= MIME_LINE_MAX) {
            g_string_append_len(out, (const char *)data + at, whole);
        } else {
            for (gsize i = 0; i < content; i++) {
                guint8 c = data[at + i];
                if (!g_ascii_isalnum(c) && !memchr("+/= \t", c, 5))
                    return FALSE;
                if (i && i % COLUMNS == 0)
                    g_string_append(out, "\r\n");
                g_string_append_c(out, (char)c);
            }
            g_string_append_len(out, (const char *)data + at + content, whole - content);
        }
        at += whole;
    }
    return TRUE;
}

/* -1: the character is none of the alphabet. */
static int six_bits(char c)
{
    return g_ascii_isupper(c)   ? c - 'A'
           : g_ascii_islower(c) ? c - 'a' + 26
           : g_ascii_isdigit(c) ? c - '0' + 52
           : c == '+'           ? 62
           : c == '/'           ? 63
                                : -1;
}

guint8 *transfer_unbase64(const char *text, gsize length, gsize *size)
{
    guint8 *octets = g_malloc(length / 4 * 3 + 3);
    guint32 bits = 0;
    guint have = 0; /* characters of a group of four */

    *size = 0;
    for (gsize i = 0; i < length && !(text[i] == '=' && have >= 2); i++) {
        int value = six_bits(text[i]);
        if (value < 0)
            continue;
        bits = bits << 6 | (guint32)value;
        if (++have < 4)
            continue;
        for (guint shift = 24; shift > 0; shift -= 8)
            octets[(*size)++] = (guint8)(bits >> (shift - 8));
        have = 0;
    }
    /* 12 bits are one octet, 18 are two. */
    if (have >= 2)
        octets[(*size)++] = (guint8)(have == 2 ? bits >> 4 : bits >> 10);
    if (have == 3)
        octets[(*size)++] = (guint8)(bits >> 2);
    return octets;
}
