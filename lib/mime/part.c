/* SPDX-License-Identifier: MIT */
#include "lib/mime/part.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/mime/field.h"
#include "lib/mime/tree.h"

G_STATIC_ASSERT(MIME_PART_DEPTH_MAX == MIME_DEPTH_MAX);

/* Multiparts whose parts are the message's own. */
static const char *const open_types[] = {"mixed", "alternative", "related", "parallel"};

typedef struct {
    const GString *text; /* that was parsed */
    gsize body;          /* where the body begins in it */
    gboolean top_is_file;
    guint alternatives;
    gboolean too_deep;
    GPtrArray *parts;
} Walk;

static void part_free(gpointer data)
{
    MimePart *part = data;

    g_free(part->type);
    g_free(part->charset);
    g_free(part);
}

static MimePart *add_part(Walk *walk, GMimeObject *object, MimeStanding standing, guint alternative)
{
    MimePart *part = g_new0(MimePart, 1);
    g_autofree char *type =
        g_mime_content_type_get_mime_type(g_mime_object_get_content_type(object));

    part->type = g_ascii_strdown(type, -1);
    part->standing = standing;
    part->alternative = alternative;
    g_ptr_array_add(walk->parts, part);
    return part;
}

static MimeEncoding encoding_of(GMimePart *part)
{
    switch (g_mime_part_get_content_encoding(part)) {
    case GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE:
        return MIME_ENCODING_QUOTED;
    case GMIME_CONTENT_ENCODING_BASE64:
        return MIME_ENCODING_BASE64;
    default:
        return mime_tree_is_identity(part) ? MIME_ENCODING_IDENTITY : MIME_ENCODING_OTHER;
    }
}

/* Whether a field that decides is there twice. */
static gboolean is_unclear(GMimeObject *object)
{
    static const char *const names[] = {"Content-Type", "Content-Transfer-Encoding",
                                        "Content-Disposition"};
    GMimeHeaderList *headers = g_mime_object_get_header_list(object);
    guint counts[G_N_ELEMENTS(names)] = {0};

    for (int i = 0; i < g_mime_header_list_get_count(headers); i++) {
        const char *name = g_mime_header_get_name(g_mime_header_list_get_header_at(headers, i));
        for (guint n = 0; n < G_N_ELEMENTS(names); n++)
            if (g_ascii_strcasecmp(name, names[n]) == 0 && ++counts[n] > 1)
                return TRUE;
    }
    return FALSE;
}

static gboolean is_file(GMimePart *part)
{
    const char *disposition = g_mime_object_get_disposition(GMIME_OBJECT(part));

    return (disposition && g_ascii_strcasecmp(disposition, "inline") != 0) ||
           g_mime_part_get_filename(part);
}

static void walk_leaf(Walk *walk, GMimePart *leaf, gboolean top, guint alternative)
{
    GMimeObject *object = GMIME_OBJECT(leaf);
    GMimeContentType *type = g_mime_object_get_content_type(object);
    Source text = source_of(walk->text->str, walk->text->len);
    gsize from, to;

    if (!mime_tree_range(leaf, &text, &from, &to) || from < walk->body)
        return;
    MimeStanding standing = is_unclear(object)                            ? MIME_PART_UNCLEAR
                            : is_file(leaf) || (top && walk->top_is_file) ? MIME_PART_FILE
                                                                          : MIME_PART_SHOWN;
    MimePart *part = add_part(walk, object, standing, alternative);
    const char *charset = g_mime_content_type_get_parameter(type, "charset");
    const char *delsp = g_mime_content_type_get_parameter(type, "delsp");
    part->charset = charset ? g_ascii_strdown(charset, -1) : NULL;
    part->flows_closed = delsp && g_ascii_strcasecmp(delsp, "yes") == 0;
    part->encoding = encoding_of(leaf);
    part->from = from - walk->body;
    part->to = to - walk->body;
}

static gboolean is_open(GMimeObject *object)
{
    const char *subtype =
        g_mime_content_type_get_media_subtype(g_mime_object_get_content_type(object));

    for (guint i = 0; i < G_N_ELEMENTS(open_types); i++)
        if (subtype && g_ascii_strcasecmp(subtype, open_types[i]) == 0)
            return TRUE;
    return FALSE;
}

static void walk_object(Walk *walk, GMimeObject *object, guint depth, guint alternative)
{
    GMimeContentType *type = g_mime_object_get_content_type(object);

    if (depth > MIME_DEPTH_MAX) {
        walk->too_deep = TRUE;
    } else if (GMIME_IS_MULTIPART_SIGNED(object) || GMIME_IS_MULTIPART_ENCRYPTED(object)) {
        add_part(walk, object, MIME_PART_SIGNED, alternative);
    } else if (GMIME_IS_MULTIPART(object) && is_unclear(object)) {
        add_part(walk, object, MIME_PART_UNCLEAR, alternative);
    } else if (GMIME_IS_MULTIPART(object) && is_open(object)) {
        GMimeMultipart *multipart = GMIME_MULTIPART(object);
        if (!alternative && g_mime_content_type_is_type(type, "multipart", "alternative"))
            alternative = ++walk->alternatives;
        for (int i = 0; i < g_mime_multipart_get_count(multipart); i++)
            walk_object(walk, g_mime_multipart_get_part(multipart, i), depth + 1, alternative);
    } else if (GMIME_IS_PART(object) && !GMIME_IS_MESSAGE_PARTIAL(object)) {
        walk_leaf(walk, GMIME_PART(object), depth == 0, alternative);
    } else {
        add_part(walk, object, MIME_PART_ENCLOSED, alternative);
    }
}

/* The top's Content-Disposition is not among the fields that are parsed. */
static gboolean top_is_file(const GPtrArray *fields)
{
    const char *value = mime_fields_last(fields, "Content-Disposition");

    if (!value)
        return FALSE;
    g_autofree char *text = mime_field_text(value);
    return mime_fields_count(fields, "Content-Disposition") > 1 ||
           g_ascii_strncasecmp(text, "inline", 6) != 0 || (text[6] && !strchr("; \t", text[6])) ||
           strstr(text, "name");
}

GPtrArray *mime_parts(const GPtrArray *fields, const char *body, gsize length, GError **error)
{
    g_autoptr(GString) text = mime_tree_text(fields, body, length);
    GMimeObject *object = text ? mime_tree_parse(text) : NULL;
    g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(part_free);

    if (!object) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID,
                    text ? "the body cannot be parsed"
                         : "Content-Type or Content-Transfer-Encoding is there twice");
        return NULL;
    }
    Walk walk = {.text = text,
                 .body = text->len - length,
                 .top_is_file = top_is_file(fields),
                 .parts = parts};
    walk_object(&walk, object, 0, 0);
    g_object_unref(object);
    if (walk.too_deep) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "parts: allowed are %d levels",
                    MIME_PART_DEPTH_MAX);
        return NULL;
    }
    return g_steal_pointer(&parts);
}
