/* SPDX-License-Identifier: MIT */
#include "lib/submission/addressee.h"

#include <string.h>

#include "lib/base/address.h"
#include "lib/base/error.h"
#include "lib/mime/mailbox.h"

#define SHOWN 100 /* characters of a value that a refusal shows */

gboolean addressee_is_blank(const char *text)
{
    for (; text && *text; text++)
        if (!g_ascii_isspace(*text))
            return FALSE;
    return TRUE;
}

void addressee_free(Addressee *address)
{
    if (!address)
        return;
    g_free(address->written);
    g_free(address->address);
    g_free(address->mailbox);
    g_free(address);
}

/* Between the last angle brackets, or all; without outer white space. */
static char *without_name(const char *text)
{
    const char *open = strrchr(text, '<');
    char *bare = open ? g_strndup(open + 1, strcspn(open + 1, ">")) : g_strdup(text);

    return g_strstrip(bare);
}

Addressee *addressee_read(const char *text)
{
    g_autoptr(GPtrArray) read = mime_mailboxes_parse(text, NULL);

    if (!read || read->len != 1)
        return NULL;
    const MimeMailbox *mailbox = read->pdata[0];
    g_autofree char *domain = address_domain(mailbox->address);
    if (!domain)
        return NULL;
    gsize local = (gsize)(strrchr(mailbox->address, '@') - mailbox->address);
    if (local + strlen("@") + strlen(domain) > ADDRESSEE_MAX)
        return NULL;
    Addressee *address = g_new0(Addressee, 1);
    address->written = without_name(text);
    if (g_ascii_strcasecmp(address->written, mailbox->address) != 0) {
        g_free(address->written);
        address->written = g_strdup(mailbox->address);
    }
    address->address = g_strdup_printf("%.*s@%s", (int)local, mailbox->address, domain);
    address->mailbox = g_strdup(text);
    return address;
}

/* Octets of text before the next comma outside quotes and comments. */
static gsize before_comma(const char *text)
{
    gboolean quoted = FALSE;
    guint comments = 0;
    gsize i = 0;

    for (; text[i] && (text[i] != ',' || quoted || comments); i++) {
        if (text[i] == '\\' && text[i + 1])
            i++;
        else if (text[i] == '"' && !comments)
            quoted = !quoted;
        else if (text[i] == '(' && !quoted)
            comments++;
        else if (text[i] == ')' && !quoted && comments)
            comments--;
    }
    return i;
}

static gboolean wrong_address(GError **error, const char *name, const char *text)
{
    g_autofree char *shown = g_utf8_substring(text, 0, MIN(SHOWN, g_utf8_strlen(text, -1)));

    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID,
                "`%s` has something in it that is no address: %s", name, shown);
    return FALSE;
}

gboolean addressees_add(GPtrArray *list, const char *name, const char *text, guint max,
                        GError **error)
{
    while (*text && list->len <= max) {
        gsize length = before_comma(text);
        g_autofree char *one = g_strndup(text, length);
        text += length + (text[length] == ',');
        if (addressee_is_blank(one))
            continue;
        Addressee *address = addressee_read(one);
        if (!address)
            return wrong_address(error, name, one);
        g_ptr_array_add(list, address);
    }
    return TRUE;
}
