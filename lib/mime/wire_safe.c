/* SPDX-License-Identifier: MIT */
/*
 * GMime says where the leaf parts lie in the octets; the new body is the old one with the ranges of
 * the parts concerned replaced. Nothing is written by GMime itself.
 */
#include "lib/mime/wire_safe.h"

#include <string.h>

#include "lib/base/splice.h"
#include "lib/mime/field.h"
#include "lib/mime/transfer.h"
#include "lib/mime/tree.h"

#define ENCODING "Content-Transfer-Encoding"

typedef struct {
    const char *data; /* fields that matter, a blank line, the body */
    gsize length;
    gsize body; /* where the body begins */
    GArray *splices;
    const char *encoding; /* for the top of a message that is one part */
    const char *reason;
} Walk;

void mime_wire_safe_clear(MimeWireSafe *result)
{
    if (result->body)
        g_string_free(result->body, TRUE);
    *result = (MimeWireSafe){0};
}

gboolean mime_is_unsafe(const char *data, gsize length)
{
    const char *end = data + length;

    for (const char *line = data; line < end;) {
        const char *lf = memchr(line, '\n', (gsize)(end - line));
        const char *stop = lf ? lf : end;
        if (lf && stop > line && stop[-1] == '\r')
            stop--;
        if (stop - line > MIME_LINE_MAX || memchr(line, '\r', (gsize)(stop - line)))
            return TRUE;
        line = lf ? lf + 1 : end;
    }
    return FALSE;
}

/* The range of a header field at offset, its continuation lines and line end included. */
static gsize field_end(const Walk *walk, gsize offset)
{
    while (offset < walk->length) {
        const char *lf = memchr(walk->data + offset, '\n', walk->length - offset);
        if (!lf)
            return walk->length;
        offset = (gsize)(lf - walk->data) + 1;
        if (offset >= walk->length || (walk->data[offset] != ' ' && walk->data[offset] != '\t'))
            return offset;
    }
    return walk->length;
}

/* Where the blank line before a part's content begins; FALSE when there is none. */
static gboolean blank_line_before(const Walk *walk, gsize content, gsize *at)
{
    const char *p = walk->data + content;

    if (content >= 3 && memcmp(p - 3, "\n\r\n", 3) == 0)
        *at = content - 2;
    else if (content >= 2 && memcmp(p - 2, "\n\n", 2) == 0)
        *at = content - 1;
    else
        return FALSE;
    return TRUE;
}

/* Whether a field of that name begins at a place. GMime's offset may be that of a line before it that is none. */
static gboolean is_field(const Walk *walk, gsize offset, const char *name)
{
    const char *p = walk->data + offset;
    gsize length = strlen(name);

    return g_ascii_strncasecmp(p, name, length) == 0 &&
           p[length + strspn(p + length, " \t")] == ':';
}

/* Gives a nested part its new Content-Transfer-Encoding; FALSE when its header is unclear. */
static gboolean declare_encoding(Walk *walk, GMimeObject *part, gsize content, const char *encoding)
{
    GMimeHeaderList *headers = g_mime_object_get_header_list(part);
    gint64 offset = -1;
    gsize blank;

    for (int i = 0; i < g_mime_header_list_get_count(headers); i++) {
        GMimeHeader *header = g_mime_header_list_get_header_at(headers, i);
        if (g_ascii_strcasecmp(g_mime_header_get_name(header), ENCODING) != 0)
            continue;
        if (offset >= 0)
            return FALSE;
        offset = g_mime_header_get_offset(header);
        if (offset < 0 || (gsize)offset >= content || !is_field(walk, (gsize)offset, ENCODING))
            return FALSE;
    }
    if (!blank_line_before(walk, content, &blank))
        return FALSE;
    gsize from = offset >= 0 ? (gsize)offset : blank;
    GString *text = g_string_new(NULL);
    g_string_printf(text, ENCODING ": %s\r\n", encoding);
    splice_add(walk->splices, from, offset >= 0 ? field_end(walk, from) : blank, text);
    return TRUE;
}

/* The new octets of a part; *encoding receives its new encoding, or NULL when that stays. */
static GString *encode_part(GMimePart *part, const guint8 *data, gsize length,
                            const char **encoding)
{
    GMimeContentEncoding now = g_mime_part_get_content_encoding(part);
    GMimeContentType *type = g_mime_object_get_content_type(GMIME_OBJECT(part));
    GString *out = g_string_sized_new(length + length / 8);
    gboolean good = TRUE;

    *encoding = NULL;
    if (mime_tree_is_identity(part)) {
        gboolean text = !type || g_mime_content_type_is_type(type, "text", "*");
        *encoding = text ? "quoted-printable" : "base64";
        (text ? transfer_quote : transfer_base64)(out, data, length);
    } else if (now == GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE) {
        good = transfer_rewrap_quoted(out, data, length);
    } else if (now == GMIME_CONTENT_ENCODING_BASE64) {
        good = transfer_rewrap_base64(out, data, length);
    } else {
        good = FALSE;
    }
    if (!good) {
        g_string_free(out, TRUE);
        return NULL;
    }
    return out;
}

static void walk_leaf(Walk *walk, GMimePart *part, gboolean top)
{
    Source data = source_of(walk->data, walk->length);
    const char *encoding;
    gsize from, to;

    if (!mime_tree_range(part, &data, &from, &to) || from < walk->body ||
        !mime_is_unsafe(walk->data + from, to - from))
        return;
    GString *text = encode_part(part, (const guint8 *)walk->data + from, to - from, &encoding);
    if (!text) {
        walk->reason =
            "line not fit for SMTP in a part whose transfer encoding is broken or unknown";
        return;
    }
    if (encoding && top) {
        walk->encoding = encoding;
        if (encoding[0] == 'b')
            g_string_append(text, "\r\n");
    } else if (encoding && !declare_encoding(walk, GMIME_OBJECT(part), from, encoding)) {
        walk->reason = "line not fit for SMTP in a part with an unclear header";
        g_string_free(text, TRUE);
        return;
    }
    splice_add(walk->splices, from, to, text);
}

static void walk_object(Walk *walk, GMimeObject *object, guint depth)
{
    if (depth > MIME_DEPTH_MAX) {
        walk->reason = "line not fit for SMTP in parts nested too deep";
    } else if (GMIME_IS_MULTIPART_SIGNED(object) || GMIME_IS_MULTIPART_ENCRYPTED(object)) {
        walk->reason = "line not fit for SMTP in a signed or encrypted part";
    } else if (GMIME_IS_MULTIPART(object)) {
        GMimeMultipart *multipart = GMIME_MULTIPART(object);
        for (int i = 0; i < g_mime_multipart_get_count(multipart); i++)
            walk_object(walk, g_mime_multipart_get_part(multipart, i), depth + 1);
    } else if (GMIME_IS_PART(object) && !GMIME_IS_MESSAGE_PARTIAL(object)) {
        walk_leaf(walk, GMIME_PART(object), depth == 0);
    } else {
        walk->reason = "line not fit for SMTP in an enclosed message";
    }
}

static void finish(Walk *walk, MimeWireSafe *result)
{
    if (walk->splices->len) {
        /* Ranges that overlap: then GMime's offsets are not what we think. */
        if (splice_sort(walk->splices) &&
            g_array_index(walk->splices, Splice, 0).from >= walk->body) {
            result->changed = TRUE;
            result->body = g_string_sized_new(walk->length + walk->length / 8);
            splice_join(walk->splices, walk->data, walk->body, walk->length, result->body);
            result->encoding = walk->encoding;
        } else {
            walk->reason = "line not fit for SMTP in a body that is put together oddly";
        }
    }
    result->reason = walk->reason;
    if (!result->reason &&
        mime_is_unsafe(result->changed ? result->body->str : walk->data + walk->body,
                       result->changed ? result->body->len : walk->length - walk->body))
        result->reason = "line not fit for SMTP outside of any part";
}

void mime_wire_safe(const GPtrArray *fields, const char *body, gsize length, MimeWireSafe *result)
{
    *result = (MimeWireSafe){0};
    if (!mime_is_unsafe(body, length))
        return;

    g_autoptr(GString) text = mime_tree_text(fields, body, length);
    if (!text) {
        result->reason =
            "line not fit for SMTP in a body whose Content-Type or encoding is given twice";
        return;
    }
    g_autoptr(GArray) splices = splice_list_new();
    Walk walk = {
        .data = text->str, .length = text->len, .body = text->len - length, .splices = splices};
    GMimeObject *object = mime_tree_parse(text);
    if (object)
        walk_object(&walk, object, 0);
    else
        walk.reason = "line not fit for SMTP in a body that cannot be parsed";
    g_clear_object(&object);
    finish(&walk, result);
}
