/* SPDX-License-Identifier: MIT */
#include "tests/lib/mime_decode.h"

#include <gmime/gmime.h>

#include "lib/mime/field.h"

static void decode_object(GMimeObject *object, GString *out, guint depth)
{
    g_autofree char *type =
        g_mime_content_type_get_mime_type(g_mime_object_get_content_type(object));

    g_string_append_printf(out, "\n[%s]", type);
    if (depth > 200)
        return;
    if (GMIME_IS_MULTIPART(object)) {
        const char *texts[] = {g_mime_multipart_get_prologue(GMIME_MULTIPART(object)),
                               g_mime_multipart_get_epilogue(GMIME_MULTIPART(object))};
        for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
            g_string_append_printf(out, "(%s)", texts[i] ? texts[i] : "");
        for (int i = 0; i < g_mime_multipart_get_count(GMIME_MULTIPART(object)); i++)
            decode_object(g_mime_multipart_get_part(GMIME_MULTIPART(object), i), out, depth + 1);
    } else if (GMIME_IS_MESSAGE_PART(object)) {
        GMimeMessage *message = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));
        if (message && g_mime_message_get_mime_part(message))
            decode_object(g_mime_message_get_mime_part(message), out, depth + 1);
    } else if (GMIME_IS_PART(object) && g_mime_part_get_content(GMIME_PART(object))) {
        GMimeStream *stream = g_mime_stream_mem_new();
        g_mime_data_wrapper_write_to_stream(g_mime_part_get_content(GMIME_PART(object)), stream);
        GByteArray *bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
        g_string_append_printf(out, "%u:", bytes->len);
        g_string_append_len(out, (const char *)bytes->data, bytes->len);
        g_object_unref(stream);
    }
}

GString *mime_decode(const GPtrArray *fields, const char *body, gsize length)
{
    static const char *const names[] = {"Content-Type", "Content-Transfer-Encoding"};
    g_autoptr(GString) text = g_string_new("MIME-Version: 1.0\r\n");
    GString *out = g_string_new(NULL);

    g_mime_init();
    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        if (mime_fields_last(fields, names[i])) {
            g_autofree char *value = mime_field_text(mime_fields_last(fields, names[i]));
            g_string_append_printf(text, "%s: %s\r\n", names[i], value);
        }
    g_string_append(text, "\r\n");
    g_string_append_len(text, body, (gssize)length);
    GMimeStream *stream = g_mime_stream_mem_new_with_buffer(text->str, text->len);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    GMimeObject *object = g_mime_parser_construct_part(parser, NULL);
    if (object) {
        decode_object(object, out, 0);
        g_object_unref(object);
    }
    g_object_unref(parser);
    g_object_unref(stream);
    return out;
}
