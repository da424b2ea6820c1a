/* SPDX-License-Identifier: MIT */
#include "lib/mime/content.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/mime/start.h"
#include "lib/mime/tree.h"

struct MimeContent {
    GString *header;
    Source *source;
    gsize at;
    Source text; /* the header, and then the body */
    gsize position;
    GMimeStream *stream;
    GMimeObject *root;
};

static gssize read_text(gconstpointer context, gsize at, void *to, gsize room)
{
    const MimeContent *content = context;
    const GString *header = content->header;

    if (at < header->len) {
        gsize n = MIN(room, header->len - at);
        memcpy(to, header->str + at, n);
        return (gssize)n;
    }
    gsize n = source_read(content->source, content->at + at - header->len, to, room);
    errno = content->source->failed;
    return content->source->failed ? -1 : (gssize)n;
}

/* The three that fopencookie(3) wants. */
static ssize_t on_read(void *cookie, char *to, size_t room)
{
    MimeContent *content = cookie;
    gsize n = source_read(&content->text, content->position, to, room);

    content->position += n;
    errno = content->text.failed;
    return content->text.failed ? -1 : (ssize_t)n;
}

static int on_seek(void *cookie, off64_t *offset, int whence)
{
    MimeContent *content = cookie;
    off64_t base = whence == SEEK_SET   ? 0
                   : whence == SEEK_CUR ? (off64_t)content->position
                                        : (off64_t)content->text.length;

    if (base + *offset < 0)
        return -1;
    *offset += base;
    content->position = (gsize)*offset;
    return 0;
}

static GMimeStream *open_stream(MimeContent *content)
{
    const cookie_io_functions_t functions = {.read = on_read, .seek = on_seek};
    FILE *file = fopencookie(content, "r", functions);

    return file ? g_mime_stream_file_new(file) : NULL; /* which closes it */
}

MimeContent *mime_content_new(GString *header, Source *source, gsize at)
{
    MimeContent *content = g_new0(MimeContent, 1);

    *content = (MimeContent){.header = header,
                             .source = source,
                             .at = at,
                             .text = {.read = read_text,
                                      .context = content,
                                      .length = header->len + source->length - at}};
    mime_start();
    content->stream = open_stream(content);
    if (content->stream)
        content->root = mime_tree_parse_stream(content->stream, &content->text);
    return content;
}

void mime_content_free(MimeContent *content)
{
    if (!content)
        return;
    g_clear_object(&content->root);
    g_clear_object(&content->stream);
    g_string_free(content->header, TRUE);
    g_free(content);
}

GMimeObject *mime_content_root(const MimeContent *content)
{
    return content->root;
}

static gboolean decode(MimeContent *content, GMimePart *part, MimeContentSink sink,
                       gpointer context)
{
    GMimeContentEncoding encoding = g_mime_part_get_content_encoding(part);
    gsize from = 0, to = 0;
    GMimeEncoding state;
    gboolean more = TRUE;

    if (!mime_tree_range(part, &content->text, &from, &to))
        return TRUE;
    gsize room = encoding == GMIME_CONTENT_ENCODING_UUENCODE ? to - from
                                                             : MIN(to - from, MIME_CONTENT_PIECE);
    g_mime_encoding_init_decode(&state, encoding);
    g_autofree char *in = g_malloc(room);
    g_autofree char *out = g_malloc(g_mime_encoding_outlen(&state, room) + 1);
    while (from < to && more) {
        gsize n = source_read(&content->text, from, in, MIN(room, to - from));
        if (n == 0)
            break;
        from += n;
        gsize length =
            (from < to ? g_mime_encoding_step : g_mime_encoding_flush)(&state, in, n, out);
        more = length == 0 || sink(out, length, context);
    }
    return more;
}

typedef struct {
    MimeContentSink sink;
    gpointer context;
    gboolean more;
    off64_t at;
} Writing;

static ssize_t on_write(void *cookie, const char *octets, size_t length)
{
    Writing *writing = cookie;

    writing->more = writing->more && writing->sink(octets, length, writing->context);
    writing->at += (off64_t)length;
    return writing->more ? (ssize_t)length : 0;
}

/* GMime makes sure that it is where it thinks. */
static int on_tell(void *cookie, off64_t *offset, int whence)
{
    const Writing *writing = cookie;

    if (whence == SEEK_SET ? *offset != writing->at : *offset != 0)
        return -1;
    *offset = writing->at;
    return 0;
}

static gboolean write_message(GMimeMessage *message, MimeContentSink sink, gpointer context)
{
    const cookie_io_functions_t functions = {.write = on_write, .seek = on_tell};
    Writing writing = {.sink = sink, .context = context, .more = TRUE};
    FILE *file = fopencookie(&writing, "w", functions);

    if (!file)
        return FALSE;
    setvbuf(file, NULL, _IOFBF, MIME_CONTENT_PIECE);
    GMimeStream *stream = g_mime_stream_file_new(file);
    GMimeFormatOptions *options = g_mime_format_options_new();
    g_mime_format_options_set_newline_format(options, GMIME_NEWLINE_FORMAT_DOS);
    g_mime_object_write_to_stream(GMIME_OBJECT(message), options, stream);
    g_mime_format_options_free(options);
    g_object_unref(stream);
    return writing.more;
}

gboolean mime_content_each(MimeContent *content, GMimeObject *object, MimeContentSink sink,
                           gpointer context)
{
    if (GMIME_IS_PART(object))
        return decode(content, GMIME_PART(object), sink, context);
    GMimeMessage *message = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));
    return !message || write_message(message, sink, context);
}
