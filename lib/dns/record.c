/* SPDX-License-Identifier: MIT */
#include "lib/dns/record.h"

#include <arpa/inet.h>

#define LABEL_MAX       63
#define NAME_MAX_OCTETS 255

typedef enum { FORM_ADDRESS, FORM_HOST, FORM_MX, FORM_TEXT } Form;

static const struct {
    const char *word;
    int number;
    Form form;
} types[DNS_TYPE_COUNT] = {
#define X(NAME, number, FORM) {#NAME, number, FORM_##FORM},
#include "lib/dns/dns_type.def"
#undef X
};

int dns_type_number(DnsType type)
{
    return types[type].number;
}

const char *dns_type_word(DnsType type)
{
    return types[type].word;
}

static void append_label(GString *name, const guint8 *label, gsize length)
{
    for (gsize i = 0; i < length; i++) {
        char c = g_ascii_tolower((char)label[i]);
        if (g_ascii_isalnum(c) || c == '-' || c == '_')
            g_string_append_c(name, c);
        else
            g_string_append_printf(name, "\\%03u", label[i]);
    }
}

/* A whole name and nothing behind it. */
static char *host_text(const guint8 *data, gsize length)
{
    g_autoptr(GString) name = g_string_new(NULL);
    gsize at = 0;

    if (length > NAME_MAX_OCTETS)
        return NULL;
    while (at < length && data[at] != 0) {
        gsize label = data[at];
        if (label > LABEL_MAX || label >= length - at)
            return NULL;
        if (at > 0)
            g_string_append_c(name, '.');
        append_label(name, data + at + 1, label);
        at += label + 1;
    }
    if (at + 1 != length)
        return NULL;
    return name->len > 0 ? g_string_free(g_steal_pointer(&name), FALSE) : g_strdup(".");
}

static char *mx_text(const guint8 *data, gsize length)
{
    g_autofree char *host = length > 2 ? host_text(data + 2, length - 2) : NULL;

    return host ? g_strdup_printf("%u %s", (guint)data[0] << 8 | data[1], host) : NULL;
}

static char *strings_text(const guint8 *data, gsize length)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (gsize at = 0; at < length;) {
        gsize part = data[at++];
        if (part > length - at)
            return NULL;
        for (gsize end = at + part; at < end; at++)
            g_string_append_c(text, g_ascii_isprint((char)data[at]) ? (char)data[at] : '?');
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static char *address_text(const guint8 *data, gsize length)
{
    char text[INET6_ADDRSTRLEN];

    if (length != 4 && length != 16)
        return NULL;
    return g_strdup(inet_ntop(length == 4 ? AF_INET : AF_INET6, data, text, sizeof text));
}

char *dns_record_text(DnsType type, const guint8 *data, gsize length)
{
    switch (types[type].form) {
    case FORM_ADDRESS:
        return length == (type == DNS_A ? 4 : 16) ? address_text(data, length) : NULL;
    case FORM_HOST:
        return host_text(data, length);
    case FORM_MX:
        return mx_text(data, length);
    default:
        return strings_text(data, length);
    }
}

char *dns_reverse_name(const char *address)
{
    static const char digits[] = "0123456789abcdef";
    guint8 octets[16];
    GString *name = NULL;

    if (inet_pton(AF_INET, address, octets) == 1)
        return g_strdup_printf("%u.%u.%u.%u.in-addr.arpa", octets[3], octets[2], octets[1],
                               octets[0]);
    if (inet_pton(AF_INET6, address, octets) != 1)
        return NULL;
    name = g_string_new(NULL);
    for (guint i = 16; i-- > 0;)
        g_string_append_printf(name, "%c.%c.", digits[octets[i] & 15], digits[octets[i] >> 4]);
    g_string_append(name, "ip6.arpa");
    return g_string_free(name, FALSE);
}
