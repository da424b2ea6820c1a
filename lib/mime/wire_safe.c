/* SPDX-License-Identifier: MIT */
/*
 * GMime says where the leaf parts lie in the octets; the new body is the old one with the ranges of
 * the parts concerned replaced. Nothing is written by GMime itself.
 */
#include "lib/mime/wire_safe.h"

#include <gmime/gmime.h>
#include <string.h>

#include "lib/mime/field.h"
#include "lib/mime/start.h"
#include "lib/mime/transfer.h"

#define ENCODING "Content-Transfer-Encoding"

/* Octets [from, to) of the parsed text give way to text. */
typedef struct {
    gsize from;
    gsize to;
    GString *text;
} Splice;

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

static void splice_clear(gpointer data)
{
    Splice *splice = data;

    if (splice->text)
        g_string_free(splice->text, TRUE);
}

static void add_splice(Walk *walk, gsize from, gsize to, GString *text)
{
    Splice splice = {from, to, text};

    g_array_append_val(walk->splices, splice);
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
        if (offset < 0 || (gsize)offset >= content ||
            g_ascii_strncasecmp(walk->data + offset, ENCODING, strlen(ENCODING)) != 0)
            return FALSE;
    }
    if (!blank_line_before(walk, content, &blank))
        return FALSE;
    gsize from = offset >= 0 ? (gsize)offset : blank;
    GString *text = g_string_new(NULL);
    g_string_printf(text, ENCODING ": %s\r\n", encoding);
    add_splice(walk, from, offset >= 0 ? field_end(walk, from) : blank, text);
    return TRUE;
}

static gboolean is_identity(GMimeContentEncoding encoding, const char *declared)
{
    return encoding == GMIME_CONTENT_ENCODING_7BIT || encoding == GMIME_CONTENT_ENCODING_8BIT ||
           encoding == GMIME_CONTENT_ENCODING_BINARY ||
           (encoding == GMIME_CONTENT_ENCODING_DEFAULT && !declared);
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
    if (is_identity(now, g_mime_object_get_header(GMIME_OBJECT(part), ENCODING))) {
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
    GMimeDataWrapper *wrapper = g_mime_part_get_content(part);
    GMimeStream *stream = wrapper ? g_mime_data_wrapper_get_stream(wrapper) : NULL;
    const char *encoding;

    if (!stream || stream->bound_start < 0)
        return;
    gsize from = (gsize)stream->bound_start;
    gsize to = stream->bound_end < 0 ? walk->length : (gsize)stream->bound_end;
    if (from < walk->body || to > walk->length || from >= to ||
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
    add_splice(walk, from, to, text);
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

/* The text that is parsed: only the fields that say what the body is. NULL when they are not clear. */
static GString *describe(const GPtrArray *fields, const char *body, gsize length)
{
    static const char *const names[] = {"Content-Type", ENCODING};
    GString *text = g_string_sized_new(length + 512);

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        const char *value = mime_fields_nth(fields, names[i], 1);
        if (mime_fields_count(fields, names[i]) > 1) {
            g_string_free(text, TRUE);
            return NULL;
        }
        g_autofree char *plain = value ? mime_field_text(value) : NULL;
        if (plain)
            g_string_append_printf(text, "%s: %s\r\n", names[i], plain);
    }
    if (text->len == 0)
        g_string_append(text, "Content-Type: text/plain\r\n");
    g_string_append(text, "\r\n");
    g_string_append_len(text, body, (gssize)length);
    return text;
}

static void walk_text(Walk *walk)
{
    mime_start();
    GMimeStream *stream = g_mime_stream_mem_new_with_buffer(walk->data, walk->length);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);

    g_mime_parser_set_persist_stream(parser, TRUE);
    GMimeObject *object = g_mime_parser_construct_part(parser, NULL);
    if (object)
        walk_object(walk, object, 0);
    else
        walk->reason = "line not fit for SMTP in a body that cannot be parsed";
    g_clear_object(&object);
    g_object_unref(parser);
    g_object_unref(stream);
}

static gint by_position(gconstpointer a, gconstpointer b)
{
    const Splice *left = a;
    const Splice *right = b;

    return left->from < right->from ? -1 : left->from > right->from;
}

/* FALSE when the ranges overlap: then GMime's offsets are not what we think. */
static gboolean join(const Walk *walk, GString *out)
{
    gsize at = walk->body;

    g_array_sort(walk->splices, by_position);
    for (guint i = 0; i < walk->splices->len; i++) {
        const Splice *splice = &g_array_index(walk->splices, Splice, i);
        if (splice->from < at)
            return FALSE;
        g_string_append_len(out, walk->data + at, (gssize)(splice->from - at));
        g_string_append_len(out, splice->text->str, (gssize)splice->text->len);
        at = splice->to;
    }
    g_string_append_len(out, walk->data + at, (gssize)(walk->length - at));
    return TRUE;
}

static void finish(Walk *walk, MimeWireSafe *result)
{
    if (walk->splices->len) {
        GString *body = g_string_sized_new(walk->length + walk->length / 8);
        if (join(walk, body)) {
            result->changed = TRUE;
            result->body = body;
            result->encoding = walk->encoding;
        } else {
            g_string_free(body, TRUE);
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

    g_autoptr(GString) text = describe(fields, body, length);
    if (!text) {
        result->reason =
            "line not fit for SMTP in a body whose Content-Type or encoding is given twice";
        return;
    }
    g_autoptr(GArray) splices = g_array_new(FALSE, FALSE, sizeof(Splice));
    g_array_set_clear_func(splices, splice_clear);
    Walk walk = {
        .data = text->str, .length = text->len, .body = text->len - length, .splices = splices};
    walk_text(&walk);
    finish(&walk, result);
}
