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

/* The one mailbox of a text; NULL: none, several, or an address that is too long. */
static Addressee *read_one(const char *text)
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

/* Whether a name with an @ says no other address than the one behind it. */
static gboolean is_harmless(const char *bare, gsize name)
{
    g_autofree char *shown = g_strchomp(g_strndup(bare, name));
    g_autofree char *address = without_name(bare);

    return !strchr(shown, '@') || g_ascii_strcasecmp(shown, address) == 0;
}

/* A name that should have stood in quotes, put into them: `Doe, Inc. <jo@b.test>`. NULL for whatever has another shape. g_free. */
static char *with_quoted_name(const char *text)
{
    g_autofree char *bare = g_strstrip(g_strdup(text));
    gsize name = strcspn(bare, "<>");
    const char *end = bare + name + strcspn(bare + name, ">");

    if (name == 0 || bare[name] != '<' || end[0] != '>' || end[1] || strchr(bare + name + 1, '<') ||
        !is_harmless(bare, name))
        return NULL;
    g_autoptr(GString) out = g_string_new("\"");
    for (gsize i = 0; i < name; i++) {
        if (g_ascii_iscntrl(bare[i]))
            return NULL;
        if (bare[i] == '"' || bare[i] == '\\')
            g_string_append_c(out, '\\');
        g_string_append_c(out, bare[i]);
    }
    g_string_append_printf(out, "\" %s", bare + name);
    return g_string_free(g_steal_pointer(&out), FALSE);
}

Addressee *addressee_read(const char *text)
{
    Addressee *address = read_one(text);
    g_autofree char *quoted = address ? NULL : with_quoted_name(text);

    return address || !quoted ? address : read_one(quoted);
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

gboolean addressee_wrong(GError **error, const char *name, const char *text)
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
            return addressee_wrong(error, name, one);
        g_ptr_array_add(list, address);
    }
    return TRUE;
}

gboolean addressees_add_entry(GPtrArray *list, const char *name, const char *text, guint max,
                              GError **error)
{
    Addressee *whole = addressee_read(text);

    if (!whole)
        return addressees_add(list, name, text, max, error);
    g_ptr_array_add(list, whole);
    return TRUE;
}
