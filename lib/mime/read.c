/* SPDX-License-Identifier: MIT */
#include "lib/mime/read.h"

#include <string.h>

#include "lib/mime/charset.h"
#include "lib/mime/field.h"
#include "lib/mime/tree.h"

#define TEXT_FIRST 512 /* octets of the fields that are parsed again */

/* What says what the body is. */
static const char *const body_fields[] = {"Content-Type", "Content-Transfer-Encoding",
                                          "Content-Disposition", "Content-Location"};

typedef struct {
    MimeRead *read;
    const GString *text; /* that was parsed */
    guint want;
    guint parts;
} Walk;

static void file_free(gpointer data)
{
    MimeReadFile *file = data;

    g_free(file->name);
    g_free(file->type);
    g_free(file->header);
    g_bytes_unref(file->bytes);
    g_free(file);
}

void mime_read_free(MimeRead *read)
{
    if (!read)
        return;
    g_ptr_array_unref(read->fields);
    g_ptr_array_unref(read->files);
    g_free(read->plain);
    g_free(read->html);
    g_free(read);
}

/* Octets of the line at text with its end; *line is the length without. */
static gsize line_at(const char *text, gsize left, gsize *line)
{
    const char *lf = memchr(text, '\n', left);
    gsize length = lf ? (gsize)(lf - text) + 1 : left;

    *line = lf ? length - 1 : length;
    *line -= *line > 0 && text[*line - 1] == '\r';
    return length;
}

/* The field whose first line begins at text: its octets, lines that go on among them. A line that is no field is passed over. */
static gsize read_field(MimeRead *read, const char *text, gsize left)
{
    gsize line, used = line_at(text, left, &line);
    const char *colon = memchr(text, ':', line);

    while (used < left && (text[used] == ' ' || text[used] == '\t'))
        used += line_at(text + used, left - used, &line);
    g_autofree char *name = g_strndup(text, colon ? (gsize)(colon - text) : 0);
    g_strchomp(name);
    if (!*name)
        return used;
    if (read->fields->len == MIME_READ_FIELDS_MAX) {
        read->cut = TRUE;
        return used;
    }
    gsize end = used;
    while (end > 0 && (text[end - 1] == '\n' || text[end - 1] == '\r'))
        end--;
    g_autofree char *value = g_strndup(colon + 1, MAX(text + end, colon + 1) - (colon + 1));
    mime_fields_add(read->fields, name, value);
    return used;
}

/* Where the body begins. */
static gsize read_head(MimeRead *read, const char *octets, gsize length)
{
    gsize at = 0, line;

    while (at < length) {
        gsize used = line_at(octets + at, length - at, &line);
        if (line == 0)
            return at + used;
        at += read_field(read, octets + at, length - at);
    }
    return length;
}

static GString *text_of(const GPtrArray *fields, const char *body, gsize length)
{
    GString *text = g_string_sized_new(length + TEXT_FIRST);

    for (guint i = 0; i < G_N_ELEMENTS(body_fields); i++) {
        const char *value = mime_fields_nth(fields, body_fields[i], 1);
        g_autofree char *plain = value ? mime_field_text(value) : NULL;
        if (plain)
            g_string_append_printf(text, "%s: %s\r\n", body_fields[i], plain);
    }
    if (text->len == 0)
        g_string_append(text, "Content-Type: text/plain\r\n");
    g_string_append(text, "\r\n");
    g_string_append_len(text, body, (gssize)length);
    return text;
}

/* NULL or g_free: what it is called, by one of the fields that may say so. */
static char *name_of(GMimeObject *object)
{
    GMimeContentType *type = g_mime_object_get_content_type(object);
    GMimeContentDisposition *disposition = g_mime_object_get_content_disposition(object);
    const char *names[] = {
        disposition ? g_mime_content_disposition_get_parameter(disposition, "filename") : NULL,
        g_mime_content_type_get_parameter(type, "name"),
        GMIME_IS_PART(object) ? g_mime_part_get_content_location(GMIME_PART(object)) : NULL};

    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        if (names[i] && *names[i])
            return mime_field_decoded(names[i], MIME_READ_VALUE_MAX);
    return NULL;
}

static gboolean is_type(const char *type, const char *wanted)
{
    return g_ascii_strcasecmp(type, wanted) == 0;
}

/* The octets that a leaf stands for; decoding leaves out what is none. */
static GBytes *decode(const Walk *walk, GMimePart *part)
{
    gsize from = 0, to = 0;
    GMimeEncoding state;

    if (!mime_tree_range(part, walk->text->str, walk->text->len, &from, &to))
        return g_bytes_new_static("", 0);
    g_mime_encoding_init_decode(&state, g_mime_part_get_content_encoding(part));
    char *out = g_malloc(g_mime_encoding_outlen(&state, to - from) + 1);
    gsize length = g_mime_encoding_flush(&state, walk->text->str + from, to - from, out);
    return g_bytes_new_take(out, length);
}

/* Takes name and bytes. */
static void add_file(Walk *walk, GMimeObject *object, char *name, const char *type, GBytes *bytes)
{
    const char *header = g_mime_object_get_header(object, "Content-Type");
    MimeReadFile *file = g_new(MimeReadFile, 1);
    GPtrArray *files = walk->read->files;

    *file =
        (MimeReadFile){.name = name ? name : g_strdup_printf("%u.eml", files->len + 1),
                       .type = g_ascii_strdown(type, -1),
                       .header = header ? mime_field_decoded(header, MIME_READ_VALUE_MAX) : NULL,
                       .bytes = bytes};
    g_ptr_array_add(files, file);
}

/* The message in a part, as it stands there. */
static void add_message(Walk *walk, GMimeMessagePart *part)
{
    GMimeMessage *message = g_mime_message_part_get_message(part);
    GMimeStream *stream = g_mime_stream_mem_new();
    GByteArray *octets = g_byte_array_new();
    GMimeFormatOptions *options = g_mime_format_options_new();
    g_autofree char *type =
        g_mime_content_type_get_mime_type(g_mime_object_get_content_type(GMIME_OBJECT(part)));

    g_mime_format_options_set_newline_format(options, GMIME_NEWLINE_FORMAT_DOS);
    g_mime_stream_mem_set_byte_array(GMIME_STREAM_MEM(stream), octets);
    if (message && walk->want & MIME_READ_FILES)
        g_mime_object_write_to_stream(GMIME_OBJECT(message), options, stream);
    g_mime_format_options_free(options);
    g_object_unref(stream);
    add_file(walk, GMIME_OBJECT(part), name_of(GMIME_OBJECT(part)), type,
             g_byte_array_free_to_bytes(octets));
}

static void take_text(Walk *walk, GMimePart *leaf, char **text)
{
    GMimeContentType *type = g_mime_object_get_content_type(GMIME_OBJECT(leaf));
    g_autoptr(GBytes) bytes = decode(walk, leaf);
    gsize length = 0;
    const char *data = g_bytes_get_data(bytes, &length);

    walk->read->cut |= length > MIME_READ_TEXT_MAX;
    *text = charset_text(g_mime_content_type_get_parameter(type, "charset"), data ? data : "",
                         MIN(length, MIME_READ_TEXT_MAX));
}

/* Where the text of a leaf of that type goes; NULL: it is no text that is read. */
static char **text_place(Walk *walk, const char *type)
{
    return is_type(type, "text/plain")  ? &walk->read->plain
           : is_type(type, "text/html") ? &walk->read->html
                                        : NULL;
}

static void walk_leaf(Walk *walk, GMimePart *leaf, gboolean alone)
{
    g_autofree char *type =
        g_mime_content_type_get_mime_type(g_mime_object_get_content_type(GMIME_OBJECT(leaf)));
    g_autofree char *name = name_of(GMIME_OBJECT(leaf));
    char **text = text_place(walk, type);

    if ((name && !(alone && text)) || is_type(type, "message/rfc822")) {
        if (walk->want & (MIME_READ_FILES | MIME_READ_FILE_NAMES))
            add_file(walk, GMIME_OBJECT(leaf), g_steal_pointer(&name), type,
                     walk->want & MIME_READ_FILES ? decode(walk, leaf) : g_bytes_new_static("", 0));
    } else if (text && !*text && (walk->want & MIME_READ_TEXTS)) {
        take_text(walk, leaf, text);
    }
}

static void walk_object(Walk *walk, GMimeObject *object, guint depth)
{
    if (depth > MIME_DEPTH_MAX || ++walk->parts > MIME_READ_PARTS_MAX) {
        walk->read->cut = TRUE;
    } else if (GMIME_IS_MULTIPART(object)) {
        GMimeMultipart *multipart = GMIME_MULTIPART(object);
        int n = MIN(g_mime_multipart_get_count(multipart), MIME_READ_PARTS_MAX + 1);
        for (int i = 0; i < n; i++)
            walk_object(walk, g_mime_multipart_get_part(multipart, i), depth + 1);
    } else if (GMIME_IS_MESSAGE_PART(object)) {
        if (walk->want & (MIME_READ_FILES | MIME_READ_FILE_NAMES))
            add_message(walk, GMIME_MESSAGE_PART(object));
    } else if (GMIME_IS_PART(object)) {
        walk_leaf(walk, GMIME_PART(object), depth == 0);
    }
}

static void read_body(MimeRead *read, const char *body, gsize length, guint want)
{
    GString *text = text_of(read->fields, body, length);
    GMimeObject *object = mime_tree_parse(text);
    Walk walk = {.read = read, .text = text, .want = want};

    if (object) {
        walk_object(&walk, object, 0);
        g_object_unref(object);
    } else {
        read->cut = TRUE;
    }
    g_string_free(text, TRUE);
}

/* The fields as a reader wants them. */
static void decode_fields(MimeRead *read)
{
    for (guint i = 0; i < read->fields->len; i++) {
        MimeField *field = read->fields->pdata[i];
        char *name = g_utf8_make_valid(field->name, -1);
        char *value = mime_field_decoded(field->value, MIME_READ_VALUE_MAX);
        g_free(field->name);
        g_free(field->value);
        field->name = g_ascii_strdown(name, -1);
        field->value = value;
        g_free(name);
    }
}

MimeRead *mime_read(const char *octets, gsize length, guint want)
{
    MimeRead *read = g_new0(MimeRead, 1);

    read->fields = mime_fields_new();
    read->files = g_ptr_array_new_with_free_func(file_free);
    gsize body = read_head(read, octets, length);
    if (want & (MIME_READ_TEXTS | MIME_READ_FILES | MIME_READ_FILE_NAMES))
        read_body(read, octets + body, length - body, want);
    if (want & MIME_READ_FIELDS)
        decode_fields(read);
    else
        g_ptr_array_set_size(read->fields, 0);
    return read;
}
