/* SPDX-License-Identifier: MIT */
#include "lib/mime/tree.h"

#include <string.h>

#include "lib/mime/field.h"
#include "lib/mime/start.h"

#define ENCODING "Content-Transfer-Encoding"
#define PIECE    65536

GString *mime_tree_text(const GPtrArray *fields, const char *body, gsize length)
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

static gboolean has_many_dashes(Source *text)
{
    g_autofree char *piece = g_malloc(PIECE);
    guint dashes = 0, seen = 0; /* of the dashes that a line begins with */
    gsize n;

    for (gsize at = 0; (n = source_read(text, at, piece, PIECE)) > 0; at += n)
        for (const char *p = piece, *end = piece + n; p < end; p++) {
            if (seen < 2 && *p == '-') {
                dashes += ++seen == 2;
            } else if (*p == '\n') {
                seen = 0;
            } else {
                seen = 2;
                const char *lf = memchr(p, '\n', (gsize)(end - p));
                p = lf ? lf - 1 : end - 1;
            }
            if (dashes > MIME_DASHES_MAX)
                return TRUE;
        }
    return FALSE;
}

GMimeObject *mime_tree_parse_stream(GMimeStream *stream, Source *text)
{
    if (has_many_dashes(text))
        return NULL;
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);

    g_mime_parser_set_persist_stream(parser, TRUE);
    GMimeObject *object = g_mime_parser_construct_part(parser, NULL);
    g_object_unref(parser);
    return object;
}

GMimeObject *mime_tree_parse(const GString *text)
{
    Source source = source_of(text->str, text->len);

    mime_start();
    GMimeStream *stream = g_mime_stream_mem_new_with_buffer(text->str, text->len);
    GMimeObject *object = mime_tree_parse_stream(stream, &source);
    g_object_unref(stream);
    return object;
}

gboolean mime_tree_range(GMimePart *part, Source *text, gsize *from, gsize *to)
{
    GMimeDataWrapper *wrapper = g_mime_part_get_content(part);
    GMimeStream *stream = wrapper ? g_mime_data_wrapper_get_stream(wrapper) : NULL;
    char last[2];

    if (!stream || stream->bound_start < 0)
        return FALSE;
    gsize begin = (gsize)stream->bound_start;
    gsize end = stream->bound_end < 0 ? text->length : (gsize)stream->bound_end;
    if (end > text->length || begin >= end)
        return FALSE;
    /* Before a last boundary without line end GMime forgets that the one before it has two octets. */
    if (source_read(text, end - 1, last, 2) == 2 && last[0] == '\r' && last[1] == '\n')
        end--;
    if (begin == end)
        return FALSE;
    *from = begin;
    *to = end;
    return TRUE;
}

gboolean mime_tree_is_identity(GMimePart *part)
{
    GMimeContentEncoding encoding = g_mime_part_get_content_encoding(part);

    return encoding == GMIME_CONTENT_ENCODING_7BIT || encoding == GMIME_CONTENT_ENCODING_8BIT ||
           encoding == GMIME_CONTENT_ENCODING_BINARY ||
           (encoding == GMIME_CONTENT_ENCODING_DEFAULT &&
            !g_mime_object_get_header(GMIME_OBJECT(part), ENCODING));
}
