/* SPDX-License-Identifier: MIT */
#include "lib/mime/read.h"

#include <string.h>

#include "lib/mime/charset.h"
#include "lib/mime/field.h"
#include "lib/mime/tree.h"
#include "lib/mime/word.h"

#define TEXT_FIRST 512 /* octets of the fields that are parsed again */

/* What says what the body is. */
static const char *const body_fields[] = {"Content-Type", "Content-Transfer-Encoding",
                                          "Content-Disposition", "Content-Location"};

#define HEAD_PIECE 65536

#define WANT_FILES (MIME_READ_FILES | MIME_READ_FILE_NAMES | MIME_READ_FILE_SIZES)

typedef struct {
    MimeRead *read;
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
    mime_content_free(read->content);
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

/* The header that a body is parsed under. */
static GString *header_of(const GPtrArray *fields)
{
    GString *text = g_string_sized_new(TEXT_FIRST);

    for (guint i = 0; i < G_N_ELEMENTS(body_fields); i++) {
        const char *value = mime_fields_nth(fields, body_fields[i], 1);
        g_autofree char *plain = value ? mime_field_text(value) : NULL;
        if (plain)
            g_string_append_printf(text, "%s: %s\r\n", body_fields[i], plain);
    }
    if (text->len == 0)
        g_string_append(text, "Content-Type: text/plain\r\n");
    return g_string_append(text, "\r\n");
}

/* As it stands there: what GMime has decoded is not whole, see lib/mime/word.h. */
static const char *raw_field(GMimeObject *object, const char *name)
{
    GMimeHeader *header =
        g_mime_header_list_get_header(g_mime_object_get_header_list(object), name);

    return header ? g_mime_header_get_raw_value(header) : NULL;
}

/* A parameter of a field with encoded words, which have no place there and are there all the same; NULL or g_free. */
static char *joined_parameter(const char *raw, const char *name)
{
    g_autofree char *plain = mime_field_text(raw);
    g_autofree char *joined = word_join(plain);
    const char *rest = strchr(joined, ';');
    GMimeParamList *list = rest ? g_mime_param_list_parse(NULL, rest + 1) : NULL;
    GMimeParam *parameter = list ? g_mime_param_list_get_parameter(list, name) : NULL;
    char *value = parameter ? g_strdup(g_mime_param_get_value(parameter)) : NULL;

    g_clear_object(&list);
    return value;
}

/* The name that a field says, which GMime's parser has read as read; NULL or g_free. */
static char *parameter_of(GMimeObject *object, const char *field, const char *name,
                          const char *read)
{
    const char *raw = raw_field(object, field);
    g_autofree char *joined = raw && strstr(raw, "=?") ? joined_parameter(raw, name) : NULL;

    read = joined ? joined : read;
    return read && *read ? mime_field_decoded(read, MIME_READ_VALUE_MAX) : NULL;
}

/* NULL or g_free: what it is called, by one of the fields that may say so. */
static char *name_of(GMimeObject *object)
{
    GMimeContentType *type = g_mime_object_get_content_type(object);
    GMimeContentDisposition *disposition = g_mime_object_get_content_disposition(object);
    const char *location =
        GMIME_IS_PART(object) ? g_mime_part_get_content_location(GMIME_PART(object)) : NULL;
    char *name = parameter_of(
        object, "Content-Disposition", "filename",
        disposition ? g_mime_content_disposition_get_parameter(disposition, "filename") : NULL);

    if (!name)
        name = parameter_of(object, "Content-Type", "name",
                            g_mime_content_type_get_parameter(type, "name"));
    if (!name && location && *location)
        name = mime_field_decoded(location, MIME_READ_VALUE_MAX);
    return name;
}

static gboolean is_type(const char *type, const char *wanted)
{
    return g_ascii_strcasecmp(type, wanted) == 0;
}

/* What takes the octets of a part: all of them, or so many. */
typedef struct {
    GByteArray *octets; /* NULL: they are counted */
    gsize size, max;
} Taking;

static gboolean take(const char *octets, gsize length, gpointer context)
{
    Taking *taking = context;

    if (taking->octets)
        g_byte_array_append(taking->octets, (const guint8 *)octets,
                            (guint)MIN(length, taking->max - taking->size));
    taking->size += length;
    return taking->size <= taking->max;
}

/* Takes name. */
static void add_file(Walk *walk, GMimeObject *object, char *name, const char *type)
{
    const char *header = raw_field(object, "Content-Type");
    MimeReadFile *file = g_new(MimeReadFile, 1);
    GPtrArray *files = walk->read->files;
    Taking taking = {.octets = g_byte_array_new(), .max = G_MAXUINT};

    if (walk->want & MIME_READ_FILES)
        mime_content_each(walk->read->content, object, take, &taking);
    *file =
        (MimeReadFile){.name = name ? name : g_strdup_printf("%u.eml", files->len + 1),
                       .type = g_ascii_strdown(type, -1),
                       .header = header ? mime_field_decoded(header, MIME_READ_VALUE_MAX) : NULL,
                       .bytes = g_byte_array_free_to_bytes(taking.octets),
                       .part = object};
    if (walk->want & MIME_READ_FILE_SIZES) {
        taking = (Taking){.max = G_MAXSIZE};
        mime_content_each(walk->read->content, object, take, &taking);
    }
    file->size = taking.size;
    g_ptr_array_add(files, file);
}

static void take_text(Walk *walk, GMimePart *leaf, char **text)
{
    GMimeContentType *type = g_mime_object_get_content_type(GMIME_OBJECT(leaf));
    g_autoptr(GByteArray) octets = g_byte_array_new();
    Taking taking = {.octets = octets, .max = MIME_READ_TEXT_MAX};

    mime_content_each(walk->read->content, GMIME_OBJECT(leaf), take, &taking);
    walk->read->cut |= taking.size > MIME_READ_TEXT_MAX;
    *text = charset_text(g_mime_content_type_get_parameter(type, "charset"),
                         octets->data ? (const char *)octets->data : "", octets->len);
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
        if (walk->want & WANT_FILES)
            add_file(walk, GMIME_OBJECT(leaf), g_steal_pointer(&name), type);
    } else if (text && !*text && (walk->want & MIME_READ_TEXTS)) {
        take_text(walk, leaf, text);
    }
}

static void walk_message(Walk *walk, GMimeObject *object)
{
    g_autofree char *type =
        g_mime_content_type_get_mime_type(g_mime_object_get_content_type(object));

    if (walk->want & WANT_FILES)
        add_file(walk, object, name_of(object), type);
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
        walk_message(walk, object);
    } else if (GMIME_IS_PART(object)) {
        walk_leaf(walk, GMIME_PART(object), depth == 0);
    }
}

static void read_body(MimeRead *read, Source *source, gsize at, guint want)
{
    Walk walk = {.read = read, .want = want};

    read->content = mime_content_new(header_of(read->fields), source, at);
    GMimeObject *root = mime_content_root(read->content);
    if (root)
        walk_object(&walk, root, 0);
    else
        read->cut = TRUE;
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

/* Whether a blank line ends behind from. */
static gboolean has_blank_line(const GString *text, gsize from)
{
    const char *begin = text->str + (from > 2 ? from - 2 : 0);
    gsize left = text->len - (gsize)(begin - text->str);

    return g_str_has_prefix(text->str, "\n") || g_str_has_prefix(text->str, "\r\n") ||
           memmem(begin, left, "\n\n", 2) || memmem(begin, left, "\n\r\n", 3);
}

GString *mime_read_head(Source *source)
{
    GString *head = g_string_new(NULL);
    g_autofree char *piece = g_malloc(HEAD_PIECE);
    gsize n, from = 0;

    while (!has_blank_line(head, from) &&
           (n = source_read(source, head->len, piece, HEAD_PIECE)) > 0) {
        from = head->len;
        g_string_append_len(head, piece, (gssize)n);
    }
    return head;
}

MimeRead *mime_read_source(Source *source, guint want)
{
    MimeRead *read = g_new0(MimeRead, 1);
    GString *head = mime_read_head(source);

    read->fields = mime_fields_new();
    read->files = g_ptr_array_new_with_free_func(file_free);
    gsize body = read_head(read, head->str, head->len);
    g_string_free(head, TRUE);
    if (want & (MIME_READ_TEXTS | WANT_FILES))
        read_body(read, source, body, want);
    if (!(want & MIME_READ_FILE_SIZES))
        g_clear_pointer(&read->content, mime_content_free);
    if (want & MIME_READ_FIELDS)
        decode_fields(read);
    else
        g_ptr_array_set_size(read->fields, 0);
    return read;
}

MimeRead *mime_read(const char *octets, gsize length, guint want)
{
    Source source = source_of(octets, length);

    return mime_read_source(&source, want & ~(guint)MIME_READ_FILE_SIZES);
}

gboolean mime_read_file(const MimeRead *read, const MimeReadFile *file, MimeContentSink sink,
                        gpointer context)
{
    return mime_content_each(read->content, file->part, sink, context);
}
