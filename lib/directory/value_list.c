/* SPDX-License-Identifier: MIT */
#include "lib/directory/value_list.h"

#include <string.h>

#include "lib/base/address.h"
#include "lib/base/error.h"
#include "lib/base/network.h"
#include "lib/directory/value_route.h"

#define LOCAL_PART_MAX 64 /* RFC 5321 §4.5.3.1.1 */

/* An item's canonical form (g_free), or NULL and what is wrong. */
typedef char *(*ItemReader)(const char *text, const char **wrong);

static char *read_network(const char *text, const char **wrong)
{
    Network network;

    return network_read(text, &network, wrong);
}

/* As an atom of RFC 5322 §3.2.3 with dots, and RFC 6532 §3.2 beyond ASCII. */
static gboolean is_local_part(const char *text)
{
    for (const char *p = text; *p; p++)
        if (!g_ascii_isalnum(*p) && !strchr("!#$%&'*+-/=?^_`{|}~.", *p) && !(*p & 0x80))
            return FALSE;
    return strlen(text) <= LOCAL_PART_MAX;
}

static char *read_sender(const char *text, const char **wrong)
{
    const char *at = strrchr(text, '@');
    g_autofree char *local = at ? g_strndup(text, (gsize)(at - text)) : NULL;
    g_autofree char *address = address_form(text);
    g_auto(Value) domain = {0};

    *wrong = NULL;
    if (address && local && is_local_part(local) &&
        value_read(VALUE_DOMAIN, "domain", at + 1, 0, &domain, NULL))
        return g_steal_pointer(&address);
    *wrong = "allowed are an address such as app@example.com, and @example.com for all of a domain";
    return NULL;
}

static char *read_link_domain(const char *text, const char **wrong)
{
    gboolean below = text[0] == '.';
    g_auto(Value) domain = {0};

    *wrong = NULL;
    if (value_read(VALUE_DOMAIN, "domain", text + below, 0, &domain, NULL))
        return g_strconcat(below ? "." : "", domain.text, NULL);
    *wrong = "allowed are a domain name, and with a dot before it also what is below it";
    return NULL;
}

static char *read_endpoint(const char *text, const char **wrong)
{
    g_auto(Value) name = {0};

    *wrong = value_route_read(VALUE_ENDPOINT_NAME, text, &name);
    return *wrong ? NULL : g_strdup(name.text);
}

static ItemReader reader_of(ValueKind kind)
{
    switch (kind) {
    case VALUE_NETWORKS:
        return read_network;
    case VALUE_SENDERS:
        return read_sender;
    case VALUE_LINK_DOMAINS:
        return read_link_domain;
    case VALUE_ENDPOINTS:
        return read_endpoint;
    default:
        return NULL;
    }
}

gboolean value_is_list(ValueKind kind)
{
    return reader_of(kind) != NULL;
}

static gboolean refuse(const char *field, const char *item, const char *wrong, GError **error)
{
    g_autofree char *quoted = value_quote(item);

    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "%s: %s: %s", field, quoted, wrong);
    return FALSE;
}

gboolean value_list_read(ValueKind kind, const char *field, const char *text, Value *value,
                         GError **error)
{
    g_auto(GStrv) items = g_strsplit(text, ",", VALUE_LIST_MAX + 1);
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);

    if (g_str_equal(text, "none")) {
        value_clear(value);
        return TRUE;
    }
    if (!*text)
        return refuse(field, text, "is empty; to have none, say none", error);
    if (g_strv_length(items) > VALUE_LIST_MAX)
        return refuse(field, text, "is longer than 32 items", error);
    for (guint i = 0; items[i]; i++) {
        const char *wrong = NULL;
        char *item = reader_of(kind)(items[i], &wrong);
        if (!item)
            return refuse(field, items[i], wrong, error);
        gboolean twice = g_ptr_array_find_with_equal_func(found, item, g_str_equal, NULL);
        g_ptr_array_add(found, item);
        if (twice)
            return refuse(field, items[i], "is named twice", error);
    }
    g_ptr_array_add(found, NULL);
    value_clear(value);
    value->is = VALUE_IS_TEXT;
    value->text = g_strjoinv(",", (char **)found->pdata);
    return TRUE;
}
