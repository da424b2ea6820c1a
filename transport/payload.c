/* SPDX-License-Identifier: MIT */
#include "transport/payload.h"

#include <string.h>

#include "lib/base/id.h"
#include "lib/mime/field.h"
#include "lib/mime/read.h"
#include "lib/mime/received.h"
#include "lib/mime/strip_reply.h"

#define PIECE 65536

static void add_field(Encoder *encoder, const char *key, const MimeRead *read, const char *name)
{
    encoder_text(encoder, key, mime_fields_last(read->fields, name));
}

static void add_subject(Encoder *encoder, const MimeRead *read)
{
    const char *subject = mime_fields_last(read->fields, "subject");
    g_autofree char *begin =
        subject ? g_utf8_substring(subject, 0, MIN(PAYLOAD_SUBJECT_MAX, g_utf8_strlen(subject, -1)))
                : NULL;

    encoder_text(encoder, "subject", begin);
}

/* What stands between the angle brackets. */
static void add_message_id(Encoder *encoder, const MimeRead *read)
{
    const char *value = mime_fields_last(read->fields, "message-id");
    const char *begin = value ? strchr(value, '<') : NULL;
    const char *end = begin ? strchr(begin, '>') : NULL;
    g_autofree char *id = end ? g_strndup(begin + 1, (gsize)(end - begin - 1)) : g_strdup(value);

    encoder_text(encoder, "message_id", id);
}

static void add_reply_to(Encoder *encoder, const MimeRead *read)
{
    g_autoptr(GPtrArray) values = g_ptr_array_new();

    for (guint i = 0; i < read->fields->len; i++) {
        const MimeField *field = read->fields->pdata[i];
        if (g_str_equal(field->name, "reply-to"))
            g_ptr_array_add(values, field->value);
    }
    encoder_texts(encoder, "reply_to", values->len > 0 ? values : NULL);
}

/* Postfix's own field, the topmost one. */
static gboolean came_by_tls(const PayloadMessage *message)
{
    g_autofree char *value = mime_field_first(message->head->str, message->head->len, "Received");
    g_auto(MimeReceived) received = {0};

    if (value)
        mime_received_read(value, &received);
    return received.tls;
}

static void add_envelope(Encoder *encoder, const PayloadMessage *message)
{
    encoder_number(encoder, "id", message->id);
    encoder_text(encoder, "rcpt_to", message->recipient);
    encoder_text(encoder, "mail_from", message->sender);
}

static void add_facts(Encoder *encoder, const PayloadMessage *message, const MimeRead *read)
{
    g_autofree char *size = g_strdup_printf("%" G_GSIZE_FORMAT, message->octets->length);

    encoder_text(encoder, "token", message->token);
    add_subject(encoder, read);
    add_message_id(encoder, read);
    encoder_seconds(encoder, "timestamp", id_seconds(message->id));
    encoder_text(encoder, "size", size);
    encoder_text(encoder, "spam_status", "NotChecked");
    encoder_truth(encoder, "bounce", message->bounce);
    if (came_by_tls(message))
        encoder_truth(encoder, "received_with_ssl", TRUE);
    else
        encoder_text(encoder, "received_with_ssl", NULL);
}

static void add_texts(Encoder *encoder, const EdgeEndpoint *endpoint, const MimeRead *read)
{
    const char *plain = read->plain ? read->plain : "";

    add_field(encoder, "to", read, "to");
    add_field(encoder, "cc", read, "cc");
    add_field(encoder, "from", read, "from");
    add_field(encoder, "date", read, "date");
    add_field(encoder, "in_reply_to", read, "in-reply-to");
    add_field(encoder, "references", read, "references");
    encoder_text(encoder, "html_body", read->html);
    encoder_number(encoder, "attachment_quantity", read->files->len);
    add_field(encoder, "auto_submitted", read, "auto-submitted");
    add_reply_to(encoder, read);
    if (!endpoint->strip_replies) {
        encoder_text(encoder, "plain_body", plain);
        return;
    }
    g_auto(StrippedReply) stripped = {0};
    strip_reply(plain, &stripped);
    encoder_text(encoder, "plain_body", stripped.text);
    encoder_text(encoder, "replies_from_plain_body", stripped.replies);
}

static gboolean add_octets(const char *octets, gsize length, gpointer context)
{
    encoder_octets_add(context, octets, length);
    return TRUE;
}

static void add_file(Encoder *encoder, const EdgeEndpoint *endpoint, const MimeRead *read,
                     const MimeReadFile *file)
{
    encoder_record(encoder);
    encoder_text(encoder, "filename", file->name);
    encoder_text(encoder, "content_type",
                 endpoint->form && file->header ? file->header : file->type);
    encoder_number(encoder, "size", file->size);
    encoder_octets(encoder, "data");
    mime_read_file(read, file, add_octets, encoder);
    encoder_octets_end(encoder);
    encoder_record_end(encoder);
}

static void add_files(Encoder *encoder, const EdgeEndpoint *endpoint, const MimeRead *read)
{
    encoder_list(encoder, "attachments");
    for (guint i = 0; i < read->files->len; i++)
        add_file(encoder, endpoint, read, read->files->pdata[i]);
    encoder_list_end(encoder);
}

static void make_parts(Encoder *encoder, const EdgeEndpoint *endpoint,
                       const PayloadMessage *message)
{
    guint files = endpoint->attachments ? MIME_READ_FILE_SIZES : MIME_READ_FILE_NAMES;
    g_autoptr(MimeRead) read =
        mime_read_source(message->octets, MIME_READ_FIELDS | MIME_READ_TEXTS | files);

    add_envelope(encoder, message);
    add_facts(encoder, message, read);
    add_texts(encoder, endpoint, read);
    if (endpoint->attachments)
        add_files(encoder, endpoint, read);
}

static void make_raw(Encoder *encoder, const PayloadMessage *message)
{
    g_autofree char *piece = g_malloc(PIECE);
    gsize n;

    add_envelope(encoder, message);
    encoder_octets(encoder, "message");
    for (gsize at = 0; (n = source_read(message->octets, at, piece, PIECE)) > 0; at += n)
        encoder_octets_add(encoder, piece, n);
    encoder_octets_end(encoder);
    encoder_truth(encoder, "base64", TRUE);
    encoder_number(encoder, "size", message->octets->length);
}

gboolean payload_make(const EdgeEndpoint *endpoint, const PayloadMessage *message, EncoderSink sink,
                      gpointer context, GError **error)
{
    g_autoptr(Encoder) encoder = encoder_new(endpoint->form, sink, context);

    if (endpoint->raw)
        make_raw(encoder, message);
    else
        make_parts(encoder, endpoint, message);
    return source_is_whole(message->octets, "the message", error) && encoder_end(encoder, error);
}
