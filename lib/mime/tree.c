/* SPDX-License-Identifier: MIT */
#include "lib/mime/tree.h"

#include <string.h>

#include "lib/mime/field.h"
#include "lib/mime/start.h"

#define ENCODING "Content-Transfer-Encoding"

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

static gboolean has_many_dashes(const GString *text)
{
    const char *end = text->str + text->len;
    guint dashes = 0;

    for (const char *line = text->str; line && dashes <= MIME_DASHES_MAX;) {
        dashes += line[0] == '-' && line[1] == '-';
        line = memchr(line, '\n', (gsize)(end - line));
        line = line ? line + 1 : NULL;
    }
    return dashes > MIME_DASHES_MAX;
}

GMimeObject *mime_tree_parse(const GString *text)
{
    if (has_many_dashes(text))
        return NULL;
    mime_start();
    GMimeStream *stream = g_mime_stream_mem_new_with_buffer(text->str, text->len);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);

    g_mime_parser_set_persist_stream(parser, TRUE);
    GMimeObject *object = g_mime_parser_construct_part(parser, NULL);
    g_object_unref(parser);
    g_object_unref(stream);
    return object;
}

gboolean mime_tree_range(GMimePart *part, const char *text, gsize length, gsize *from, gsize *to)
{
    GMimeDataWrapper *wrapper = g_mime_part_get_content(part);
    GMimeStream *stream = wrapper ? g_mime_data_wrapper_get_stream(wrapper) : NULL;

    if (!stream || stream->bound_start < 0)
        return FALSE;
    gsize begin = (gsize)stream->bound_start;
    gsize end = stream->bound_end < 0 ? length : (gsize)stream->bound_end;
    if (end > length || begin >= end)
        return FALSE;
    /* Before a last boundary without line end GMime forgets that the one before it has two octets. */
    if (end < length && text[end - 1] == '\r' && text[end] == '\n')
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
