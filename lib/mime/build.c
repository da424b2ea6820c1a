/* SPDX-License-Identifier: MIT */
#include "lib/mime/build.h"

#include <string.h>

#include "lib/mime/compose.h"
#include "lib/mime/field.h"
#include "lib/mime/transfer.h"
#include "lib/mime/wire_safe.h"

void mime_file_free(MimeFile *file)
{
    if (!file)
        return;
    g_free(file->name);
    g_free(file->type);
    g_free(file->data);
    g_free(file);
}

/* With CRLF for each line end of any kind, and one at the end. */
static GString *canonical(const char *text)
{
    GString *out = g_string_sized_new(strlen(text) + 64);

    while (*text) {
        gsize line = strcspn(text, "\r\n");
        g_string_append_len(out, text, (gssize)line);
        g_string_append(out, "\r\n");
        text += line;
        text += text[0] == '\r' && text[1] == '\n' ? 2 : *text != '\0';
    }
    return out;
}

/* Where fields of a part go: the message's list, or the text before the part. */
typedef struct {
    GPtrArray *fields; /* NULL: to out */
    GString *out;
} Head;

static void add_field(const Head *head, const char *name, const char *value)
{
    if (head->fields)
        mime_fields_add(head->fields, name, value);
    else
        g_string_append_printf(head->out, "%s:%s\r\n", name, value);
}

/* A part's fields are ended by a blank line, a message's are not ours to end. */
static void end_head(const Head *head)
{
    if (!head->fields)
        g_string_append(head->out, "\r\n");
}

static void append_text(const Head *head, const char *type, const char *text)
{
    GString *lines = canonical(text);
    g_autofree char *value = g_strdup_printf(" %s; charset=UTF-8", type);
    gboolean plain = g_str_is_ascii(lines->str) && !mime_is_unsafe(lines->str, lines->len);

    add_field(head, "Content-Type", value);
    add_field(head, "Content-Transfer-Encoding", plain ? " 7bit" : " quoted-printable");
    end_head(head);
    if (plain)
        g_string_append_len(head->out, lines->str, (gssize)lines->len);
    else
        transfer_quote(head->out, (const guint8 *)lines->str, lines->len);
    g_string_free(lines, TRUE);
}

/* The boundary between parts, without its dashes; no line of base64 or quoted-printable begins with them. */
static char *begin_multipart(const Head *head, const char *subtype)
{
    g_autofree char *random = g_uuid_string_random();
    char *boundary = g_strconcat("=_", random, NULL);
    g_autofree char *value =
        g_strdup_printf(" multipart/%s;\r\n boundary=\"%s\"", subtype, boundary);

    add_field(head, "Content-Type", value);
    add_field(head, "Content-Transfer-Encoding", " 7bit");
    end_head(head);
    return boundary;
}

static void append_alternative(const Head *head, const MimeContent *content)
{
    gboolean text = content->text && *content->text, html = content->html && *content->html;
    const Head inner = {NULL, head->out};

    if (!text || !html) {
        append_text(head, html ? "text/html" : "text/plain",
                    html   ? content->html
                    : text ? content->text
                           : "");
        return;
    }
    g_autofree char *boundary = begin_multipart(head, "alternative");
    g_string_append_printf(head->out, "--%s\r\n", boundary);
    append_text(&inner, "text/plain", content->text);
    g_string_append_printf(head->out, "\r\n--%s\r\n", boundary);
    append_text(&inner, "text/html", content->html);
    g_string_append_printf(head->out, "\r\n--%s--\r\n", boundary);
}

static void append_file(GString *out, const MimeFile *file)
{
    const Head head = {NULL, out};
    g_autofree char *type = compose_type(file->type, file->data, file->length);
    g_autofree char *disposition = compose_attachment(file->name);

    add_field(&head, "Content-Type", type);
    add_field(&head, "Content-Disposition", disposition);
    add_field(&head, "Content-Transfer-Encoding", " base64");
    end_head(&head);
    transfer_base64(out, file->data, file->length);
}

GString *mime_build(const MimeContent *content, GPtrArray *fields)
{
    GString *body = g_string_new(NULL);
    const Head top = {fields, body}, inner = {NULL, body};

    mime_fields_add(fields, "MIME-Version", " 1.0");
    if (!content->files || content->files->len == 0) {
        append_alternative(&top, content);
        return body;
    }
    g_autofree char *boundary = begin_multipart(&top, "mixed");
    g_string_append_printf(body, "--%s\r\n", boundary);
    append_alternative(&inner, content);
    for (guint i = 0; i < content->files->len; i++) {
        g_string_append_printf(body, "\r\n--%s\r\n", boundary);
        append_file(body, content->files->pdata[i]);
    }
    g_string_append_printf(body, "\r\n--%s--\r\n", boundary);
    return body;
}
