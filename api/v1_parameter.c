/* SPDX-License-Identifier: MIT */
#include "api/v1_parameter.h"

#include <string.h>

#include "lib/base/address.h"
#include "lib/base/error.h"

#define SHOWN 100 /* characters of a value that a refusal shows */

gboolean v1_parameter_wrong(GError **error, const char *name, const char *why)
{
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "`%s` %s", name, why);
    return FALSE;
}

/* The text of a scalar; NULL: it has none. */
static const char *text_of(json_object *value, gsize *length)
{
    if (json_object_is_type(value, json_type_array) || json_object_is_type(value, json_type_object))
        return NULL;
    const char *text = json_object_get_string(value);
    *length = json_object_is_type(value, json_type_string)
                  ? (gsize)json_object_get_string_len(value)
                  : strlen(text);
    return text;
}

gboolean v1_parameter_text(json_object *object, const char *name, glong max, const char **text,
                           GError **error)
{
    json_object *value = NULL;
    gsize length = 0;

    *text = NULL;
    if (!json_object_object_get_ex(object, name, &value) || !value)
        return TRUE;
    if (!(*text = text_of(value, &length)))
        return v1_parameter_wrong(error, name, "must be a string");
    if (strlen(*text) != length)
        return v1_parameter_wrong(error, name, "must not have a NUL in it");
    if (max == 0 || g_utf8_strlen(*text, -1) <= max)
        return TRUE;
    g_autofree char *why = g_strdup_printf("may have %ld characters at most", max);
    return v1_parameter_wrong(error, name, why);
}

gboolean v1_parameter_is_set(json_object *object, const char *name)
{
    json_object *value = NULL;

    if (!json_object_object_get_ex(object, name, &value) || !value)
        return FALSE;
    return !json_object_is_type(value, json_type_boolean) || json_object_get_boolean(value);
}

gboolean v1_is_blank(const char *text)
{
    for (; text && *text; text++)
        if (!g_ascii_isspace(*text))
            return FALSE;
    return TRUE;
}

void v1_address_free(V1Address *address)
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

V1Address *v1_address_read(const char *text)
{
    g_autoptr(GPtrArray) read = mime_mailboxes_parse(text, NULL);

    if (!read || read->len != 1)
        return NULL;
    const MimeMailbox *mailbox = read->pdata[0];
    g_autofree char *domain = address_domain(mailbox->address);
    if (!domain)
        return NULL;
    V1Address *address = g_new0(V1Address, 1);
    g_autofree char *local =
        g_strndup(mailbox->address, (gsize)(strrchr(mailbox->address, '@') - mailbox->address));
    address->written = without_name(text);
    if (g_ascii_strcasecmp(address->written, mailbox->address) != 0) {
        g_free(address->written);
        address->written = g_strdup(mailbox->address);
    }
    address->address = g_strconcat(local, "@", domain, NULL);
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
    g_autofree char *why = g_strdup_printf("has something in it that is no address: %s", shown);

    return v1_parameter_wrong(error, name, why);
}

static gboolean add_all(GPtrArray *list, const char *name, const char *text, guint max,
                        GError **error)
{
    while (*text && list->len <= max) {
        gsize length = before_comma(text);
        g_autofree char *one = g_strndup(text, length);
        text += length + (text[length] == ',');
        if (v1_is_blank(one))
            continue;
        V1Address *address = v1_address_read(one);
        if (!address)
            return wrong_address(error, name, one);
        g_ptr_array_add(list, address);
    }
    return TRUE;
}

static gboolean add_value(GPtrArray *list, const char *name, json_object *value, guint max,
                          GError **error)
{
    gsize length = 0;
    const char *text = value ? text_of(value, &length) : "";

    if (!text || strlen(text) != length)
        return v1_parameter_wrong(error, name, "must be an array of strings, or one string");
    return add_all(list, name, text, max, error);
}

GPtrArray *v1_parameter_addresses(json_object *object, const char *name, guint max, GError **error)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify)v1_address_free);
    json_object *value = NULL;

    json_object_object_get_ex(object, name, &value);
    if (!json_object_is_type(value, json_type_array))
        return add_value(list, name, value, max, error) ? g_steal_pointer(&list) : NULL;
    for (gsize i = 0; i < json_object_array_length(value) && list->len <= max; i++)
        if (!add_value(list, name, json_object_array_get_idx(value, i), max, error))
            return NULL;
    return g_steal_pointer(&list);
}
