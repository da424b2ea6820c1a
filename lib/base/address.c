/* SPDX-License-Identifier: MIT */
#include "lib/base/address.h"

#include <string.h>

#define LABEL_MAX 63
#define INPUT_MAX (4 * ADDRESS_DOMAIN_MAX) /* octets of UTF-8 before they are A-labels */

typedef char Form[ADDRESS_DOMAIN_MAX + 1];

/* ZWNJ and ZWJ, which GLib drops and others keep, and the capital sharp s, which older readers take for ss. */
static gboolean is_ambiguous(const char *domain)
{
    return strstr(domain, "\u200c") || strstr(domain, "\u200d") || strstr(domain, "\u1e9e");
}

/* The octets of a dot at the end, as IDNA knows dots. */
static gsize root_length(const char *domain)
{
    static const char *const dots[] = {".", "\u3002", "\uff0e", "\uff61"};

    for (guint i = 0; i < G_N_ELEMENTS(dots); i++)
        if (g_str_has_suffix(domain, dots[i]))
            return strlen(dots[i]);
    return 0;
}

/* g_hostname_to_ascii would drop a dot at the end. */
static char *to_ascii(const char *domain)
{
    return g_utf8_validate(domain, -1, NULL) && !is_ambiguous(domain) && root_length(domain) == 0
               ? g_hostname_to_ascii(domain)
               : NULL;
}

static gboolean take_ascii(const char *domain, gsize length, Form form)
{
    gsize label = 0;

    if (length > ADDRESS_DOMAIN_MAX)
        return FALSE;
    for (gsize i = 0; i < length; i++) {
        char c = domain[i];
        if (!g_ascii_isgraph(c) || c == '@' || (c == '.' && label == 0))
            return FALSE;
        label = c == '.' ? 0 : label + 1;
        if (label > LABEL_MAX)
            return FALSE;
        form[i] = g_ascii_tolower(c);
    }
    form[length] = '\0';
    return label > 0;
}

static gboolean take_domain(const char *domain, gboolean rooted, Form form)
{
    gsize length = strnlen(domain, INPUT_MAX + 1);

    if (length > INPUT_MAX)
        return FALSE;
    if (rooted)
        length -= root_length(domain);
    if (g_str_is_ascii(domain))
        return take_ascii(domain, length, form);
    g_autofree char *name = g_strndup(domain, length);
    g_autofree char *ascii = to_ascii(name);
    return ascii && !strpbrk(ascii, ADDRESS_SPECIALS) && take_ascii(ascii, strlen(ascii), form);
}

char *address_domain_form(const char *domain)
{
    Form form;

    return take_domain(domain, FALSE, form) ? g_strdup(form) : NULL;
}

char *address_domain(const char *address)
{
    const char *at = strrchr(address, '@');
    Form form;

    return at && take_domain(at + 1, TRUE, form) ? g_strdup(form) : NULL;
}

/* Without the quotes and escapes of a quoted string; anything else is taken as it is. */
static GString *unquoted(const char *local, gsize length)
{
    gboolean quoted = length >= 2 && local[0] == '"' && local[length - 1] == '"';
    GString *plain = g_string_sized_new(length);

    if (!quoted)
        return g_string_append_len(plain, local, (gssize)length);
    for (const char *p = local + 1, *end = local + length - 1; p < end; p++) {
        if (*p == '\\' && p + 1 < end)
            p++;
        g_string_append_c(plain, *p);
    }
    return plain;
}

/* RFC 5321 section 4.1.2: a dot-string needs none. */
static gboolean needs_quotes(const GString *local)
{
    for (const char *p = local->str; *p; p++)
        if (g_ascii_iscntrl(*p) || strchr(ADDRESS_SPECIALS, *p))
            return TRUE;
    return local->len == 0 || local->str[0] == '.' || local->str[local->len - 1] == '.' ||
           strstr(local->str, "..");
}

static GString *local_form(const char *local, gsize length)
{
    g_autoptr(GString) plain = unquoted(local, length);

    g_string_ascii_down(plain);
    if (!needs_quotes(plain))
        return g_steal_pointer(&plain);
    GString *form = g_string_new("\"");
    for (const char *p = plain->str; *p; p++) {
        if (*p == '"' || *p == '\\')
            g_string_append_c(form, '\\');
        g_string_append_c(form, *p);
    }
    return g_string_append_c(form, '"');
}

char *address_form(const char *address)
{
    const char *at = strrchr(address, '@');
    gsize local = at ? (gsize)(at - address) : 0;
    Form domain;

    if (!at || local >= ADDRESS_MAX || !g_utf8_validate(address, (gssize)local, NULL) ||
        !take_domain(at + 1, TRUE, domain))
        return NULL;
    g_autoptr(GString) form = local > 0 ? local_form(address, local) : g_string_new(NULL);
    g_string_append_printf(form, "@%s", domain);
    return form->len <= ADDRESS_MAX ? g_string_free(g_steal_pointer(&form), FALSE) : NULL;
}
