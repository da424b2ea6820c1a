/* SPDX-License-Identifier: MIT */
#include "milters/message.h"

#include <string.h>

#include "lib/base/address.h"
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

static void recipient_free(gpointer data)
{
    Recipient *recipient = data;

    g_free(recipient->address);
    g_free(recipient->key);
    g_free(recipient->given);
    g_free(recipient);
}

Message *message_new(const char *mail_from, const MessageLimits *limits)
{
    Message *message = g_new0(Message, 1);

    message->limits = *limits;
    message->mail_from = without_brackets(mail_from);
    message->rcpts = g_ptr_array_new_with_free_func(recipient_free);
    message->known = g_hash_table_new(g_str_hash, g_str_equal);
    message->fields = mime_fields_new();
    message->body = g_string_new(NULL);
    return message;
}

void message_free(Message *message)
{
    if (!message)
        return;
    g_free(message->mail_from);
    g_free(message->came_for);
    g_hash_table_unref(message->known);
    g_ptr_array_unref(message->rcpts);
    g_ptr_array_unref(message->fields);
    if (message->body)
        g_string_free(message->body, TRUE);
    g_free(message);
}

gboolean message_add_recipient(Message *message, const char *rcpt, const char *resolved)
{
    g_autofree char *address = resolved ? g_strdup(resolved) : without_brackets(rcpt);
    g_autofree char *lower = g_ascii_strdown(address, -1);

    if (g_hash_table_contains(message->known, lower))
        return TRUE;
    gsize size = message->address_size + strlen(address);
    if (message->rcpts->len >= message->limits.recipients || size > message->limits.addresses)
        return FALSE;
    message->address_size = size;
    Recipient *recipient = g_new(Recipient, 1);
    recipient->address = g_steal_pointer(&address);
    recipient->key = g_steal_pointer(&lower);
    recipient->given = g_strdup(rcpt);
    if (!message->came_for)
        message->came_for = g_strdup(rcpt);
    g_ptr_array_add(message->rcpts, recipient);
    g_hash_table_add(message->known, recipient->key);
    return TRUE;
}

/* The form in which addresses are compared has small letters, so it is taken only where quotes are needed. */
char *message_argument(const char *address)
{
    g_autofree char *form = address_form(address);
    gboolean plain = !form || strlen(form) == strlen(address);

    return g_strdup_printf("<%s>", plain ? address : form);
}

void message_set_recipients(Message *message, const GPtrArray *addresses)
{
    g_hash_table_remove_all(message->known);
    g_ptr_array_set_size(message->rcpts, 0);
    message->limits.recipients = addresses->len;
    message->address_size = 0;
    for (guint i = 0; i < addresses->len; i++) {
        g_autofree char *given = message_argument(addresses->pdata[i]);
        message_add_recipient(message, given, addresses->pdata[i]);
    }
}

const char *message_rcpt(const Message *message)
{
    const Recipient *first = message->rcpts->len ? message->rcpts->pdata[0] : NULL;

    return first ? first->address : NULL;
}

void message_add_field(Message *message, const char *name, const char *value)
{
    message->header_size += strlen(name) + strlen(value) + strlen(":\r\n");
    message->n_fields++;
    if (message_header_fits(message))
        mime_fields_add(message->fields, name, value);
}

void message_add_body(Message *message, const void *data, gsize length)
{
    message->body_size += length;
    if (!message->body)
        return;
    if (message_size(message) > message->limits.size) {
        g_string_free(g_steal_pointer(&message->body), TRUE);
        return;
    }
    g_string_append_len(message->body, data, (gssize)length);
}

gboolean message_header_fits(const Message *message)
{
    return message->header_size <= message->limits.header &&
           message->n_fields <= message->limits.fields;
}

gsize message_size(const Message *message)
{
    return message->header_size + strlen("\r\n") + message->body_size;
}
