/* SPDX-License-Identifier: MIT */
#include "milters/message.h"

#include <string.h>

#include "lib/mime/field.h"

void client_clear(Client *client)
{
    g_free(client->ip);
    g_free(client->port);
    g_free(client->ptr);
    g_free(client->helo);
    g_free(client->tls);
    g_free(client->auth);
    *client = (Client){0};
}

static char *without_brackets(const char *address)
{
    gsize length = strlen(address);

    if (length >= 2 && address[0] == '<' && address[length - 1] == '>')
        return g_strndup(address + 1, length - 2);
    return g_strdup(address);
}

Message *message_new(const char *mail_from)
{
    Message *message = g_new0(Message, 1);

    message->mail_from = without_brackets(mail_from);
    message->fields = mime_fields_new();
    message->body = g_string_new(NULL);
    return message;
}

void message_free(Message *message)
{
    if (!message)
        return;
    g_free(message->mail_from);
    g_free(message->rcpt);
    g_ptr_array_unref(message->fields);
    if (message->body)
        g_string_free(message->body, TRUE);
    g_free(message);
}

gboolean message_add_recipient(Message *message, const char *rcpt)
{
    if (message->rcpt)
        return FALSE;
    message->rcpt = without_brackets(rcpt);
    return TRUE;
}

void message_add_field(Message *message, const char *name, const char *value)
{
    message->header_size += strlen(name) + strlen(value) + strlen(":\r\n");
    message->n_fields++;
    if (message->header_size <= MESSAGE_HEADER_MAX && message->n_fields <= MESSAGE_FIELDS_MAX)
        mime_fields_add(message->fields, name, value);
}

void message_add_body(Message *message, const void *data, gsize length, gsize max)
{
    message->body_size += length;
    if (!message->body)
        return;
    if (message_size(message) > max) {
        g_string_free(g_steal_pointer(&message->body), TRUE);
        return;
    }
    g_string_append_len(message->body, data, (gssize)length);
}

gsize message_size(const Message *message)
{
    return message->header_size + strlen("\r\n") + message->body_size;
}
