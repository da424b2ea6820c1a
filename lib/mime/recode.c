/* SPDX-License-Identifier: MIT */
#include "lib/mime/recode.h"

#include <string.h>

#include "lib/base/splice.h"

#define COLUMNS 76

/* The line end at p: octets, or 0. */
static gsize line_end(const char *p, const char *end)
{
    if (p < end && *p == '\n')
        return 1;
    return end - p >= 2 && p[0] == '\r' && p[1] == '\n' ? 2 : 0;
}

/* One unit of quoted-printable at p: its octets, 0 when there are none such. *value is what it stands for, -1: nothing. */
static gsize unit(const char *p, const char *end, int *value)
{
    if (*p != '=') {
        *value = (guint8)*p;
        return 1;
    }
    *value = -1;
    if (p + 1 == end)
        return 1;
    if (line_end(p + 1, end))
        return 1 + line_end(p + 1, end);
    if (end - p < 3 || !g_ascii_isxdigit(p[1]) || !g_ascii_isxdigit(p[2]))
        return 0;
    *value = g_ascii_xdigit_value(p[1]) << 4 | g_ascii_xdigit_value(p[2]);
    return 3;
}

static GString *decode_quoted(const char *data, gsize length)
{
    g_autoptr(GString) out = g_string_sized_new(length);
    const char *end = data + length;
    int value;

    for (const char *p = data; p < end;) {
        gsize used = unit(p, end, &value);
        if (used == 0)
            return NULL;
        if (value >= 0)
            g_string_append_c(out, (char)value);
        p += used;
    }
    return g_steal_pointer(&out);
}

static gboolean is_base64(char c)
{
    return g_ascii_isalnum(c) || c == '+' || c == '/';
}

static GString *decode_base64(const char *data, gsize length)
{
    g_autoptr(GString) plain = g_string_sized_new(length);
    guint padding = 0;

    for (gsize i = 0; i < length; i++) {
        if (g_ascii_isspace(data[i]))
            continue;
        if (data[i] == '=')
            padding++;
        else if (padding > 0 || !is_base64(data[i]))
            return NULL;
        g_string_append_c(plain, data[i]);
    }
    if (padding > 2 || plain->len % 4 != 0)
        return NULL;
    if (plain->len > 0) {
        g_base64_decode_inplace(plain->str, &plain->len);
        plain->str[plain->len] = '\0';
    }
    return g_steal_pointer(&plain);
}

GString *recode_decode(MimeEncoding encoding, const char *data, gsize length)
{
    switch (encoding) {
    case MIME_ENCODING_IDENTITY:
        return g_string_new_len(data, (gssize)length);
    case MIME_ENCODING_QUOTED:
        return decode_quoted(data, length);
    case MIME_ENCODING_BASE64:
        return decode_base64(data, length);
    default:
        return NULL;
    }
}

/* The line end that the part has. */
static const char *line_end_of(const char *data, gsize length)
{
    const char *lf = memchr(data, '\n', length);

    return lf && (lf == data || lf[-1] != '\r') ? "\n" : "\r\n";
}

typedef struct {
    GString *out;
    gsize column;
    gsize last; /* octets of the last unit that was passed on in this line */
    const char *line_end;
    const char *at, *end; /* what comes of the part's octets */
    gsize position;       /* of what they stand for, at at */
} Quoted;

static void break_line(Quoted *quoted)
{
    g_string_append_printf(quoted->out, "=%s", quoted->line_end);
    quoted->column = 0;
}

static void put(Quoted *quoted, guint8 octet)
{
    gboolean plain = octet >= ' ' && octet < 0x7f && octet != '=';
    gsize room = plain ? 1 : 3;

    if (quoted->column + room > COLUMNS - 1)
        break_line(quoted);
    if (quoted->column == 0 && memchr("-.F", octet, 3))
        plain = FALSE; /* no line begins like a boundary, a dot or "From " */
    if (plain)
        g_string_append_c(quoted->out, (char)octet);
    else
        g_string_append_printf(quoted->out, "=%02X", octet);
    quoted->column += plain ? 1 : 3;
    quoted->last = 0;
}

/* The part's own octets up to a position; dropped, or kept as they are. */
static void pass(Quoted *quoted, gsize position, gboolean keep)
{
    int value;

    while (quoted->at < quoted->end && quoted->position < position) {
        gsize used = unit(quoted->at, quoted->end, &value);
        if (keep) {
            g_string_append_len(quoted->out, quoted->at, (gssize)used);
            gboolean ended = quoted->at[used - 1] == '\n';
            quoted->column = ended ? 0 : quoted->column + used;
            quoted->last = ended ? 0 : used;
        }
        quoted->position += value >= 0;
        quoted->at += used;
    }
}

/* A line that is full has no room for the "=" of a break: it is broken before its last unit. */
static void break_full_line(Quoted *quoted)
{
    if (quoted->column < COLUMNS || quoted->last == 0)
        return;
    g_autofree char *unit =
        g_strndup(quoted->out->str + quoted->out->len - quoted->last, quoted->last);
    g_string_truncate(quoted->out, quoted->out->len - quoted->last);
    break_line(quoted);
    g_string_append_len(quoted->out, unit, (gssize)quoted->last);
    quoted->column = quoted->last;
}

/* Breaks the line behind what was put or dropped when its rest, which stays as it is, would make it too long. */
static void make_room(Quoted *quoted)
{
    const char *lf = memchr(quoted->at, '\n', (gsize)(quoted->end - quoted->at));
    const char *stop = lf ? lf : quoted->end;

    if (lf && stop > quoted->at && stop[-1] == '\r')
        stop--;
    if (stop == quoted->at || quoted->column == 0 ||
        quoted->column + (gsize)(stop - quoted->at) <= COLUMNS)
        return;
    break_line(quoted);
    if (memchr("-.F", *quoted->at, 3)) {
        put(quoted, (guint8)*quoted->at++);
        quoted->position++;
    }
}

static void splice_quoted(const char *data, gsize length, const GArray *list, GString *out)
{
    Quoted quoted = {
        .out = out, .line_end = line_end_of(data, length), .at = data, .end = data + length};

    for (guint i = 0; i < list->len; i++) {
        const Splice *splice = &g_array_index(list, Splice, i);
        pass(&quoted, splice->from, TRUE);
        if (splice->text->len > 0)
            break_full_line(&quoted);
        pass(&quoted, splice->to, FALSE);
        for (gsize n = 0; n < splice->text->len; n++)
            put(&quoted, (guint8)splice->text->str[n]);
        make_room(&quoted);
    }
    g_string_append_len(out, quoted.at, quoted.end - quoted.at);
}

/* White space around it stays; the first line says how long lines are. */
static void splice_base64(const char *data, gsize length, const GArray *list, GString *out)
{
    g_autoptr(GString) old = decode_base64(data, length);
    g_autoptr(GString) changed = g_string_sized_new(old->len + old->len / 4);
    gsize begin = 0, end = length, line = 0;

    while (begin < end && g_ascii_isspace(data[begin]))
        begin++;
    while (end > begin && g_ascii_isspace(data[end - 1]))
        end--;
    while (begin + line < end && !g_ascii_isspace(data[begin + line]))
        line++;
    splice_join(list, old->str, 0, old->len, changed);
    g_autofree char *text = g_base64_encode((const guint8 *)changed->str, changed->len);
    gsize total = strlen(text), width = begin + line < end ? line : MAX(line, COLUMNS);
    g_string_append_len(out, data, (gssize)begin);
    for (gsize at = 0; at < total; at += width) {
        if (at > 0)
            g_string_append(out, line_end_of(data, length));
        g_string_append_len(out, text + at, (gssize)MIN(width, total - at));
    }
    g_string_append_len(out, data + end, (gssize)(length - end));
}

void recode_splice(MimeEncoding encoding, const char *data, gsize length, const GArray *list,
                   GString *out)
{
    switch (encoding) {
    case MIME_ENCODING_QUOTED:
        splice_quoted(data, length, list, out);
        break;
    case MIME_ENCODING_BASE64:
        splice_base64(data, length, list, out);
        break;
    default:
        splice_join(list, data, 0, length, out);
    }
}
