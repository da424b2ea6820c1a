/* SPDX-License-Identifier: MIT */
#include "lib/base/suppression.h"

#include <string.h>

#include "lib/base/limit.h"

#define WORD(NAME, word, ...) word,
static const char *const scopes[] = {SUPPRESSION_SCOPES(WORD)};
static const char *const sources[] = {SUPPRESSION_SOURCES(WORD)};
#undef WORD

const char *suppression_scope_word(SuppressionScope scope)
{
    return scopes[scope];
}

const char *suppression_source_word(SuppressionSource source)
{
    return sources[source];
}

gboolean suppression_source_read(const char *word, SuppressionSource *source)
{
    for (guint i = 0; i < SUPPRESSION_SOURCE_COUNT; i++)
        if (g_strcmp0(sources[i], word) == 0) {
            *source = (SuppressionSource)i;
            return TRUE;
        }
    return FALSE;
}

/* Without the quotes and escapes of a quoted string; anything else is taken as it is. */
static char *unquoted(const char *local, gsize length)
{
    gboolean quoted = length >= 2 && local[0] == '"' && local[length - 1] == '"';
    GString *plain = g_string_sized_new(length);

    if (!quoted)
        return g_string_free(g_string_append_len(plain, local, (gssize)length), FALSE);
    for (const char *p = local + 1, *end = local + length - 1; p < end; p++) {
        if (*p == '\\' && p + 1 < end)
            p++;
        g_string_append_c(plain, *p);
    }
    return g_string_free(plain, FALSE);
}

/* RFC 5321 section 4.1.2: a dot-string needs none. */
static gboolean needs_quotes(const char *local)
{
    gsize length = strlen(local);

    for (const char *p = local; *p; p++)
        if (g_ascii_iscntrl(*p) || strchr(SUPPRESSION_SPECIALS, *p))
            return TRUE;
    return length == 0 || local[0] == '.' || local[length - 1] == '.' || strstr(local, "..");
}

/* However it was quoted, as Postfix writes it. */
static char *local_form(const char *local, gsize length)
{
    g_autofree char *plain = unquoted(local, length);
    g_autofree char *lower = g_ascii_strdown(plain, -1);

    if (!needs_quotes(lower))
        return g_steal_pointer(&lower);
    GString *text = g_string_new("\"");
    for (const char *p = lower; *p; p++) {
        if (*p == '"' || *p == '\\')
            g_string_append_c(text, '\\');
        g_string_append_c(text, *p);
    }
    return g_string_free(g_string_append_c(text, '"'), FALSE);
}

/* "@domain"; NULL: none that could be on the list. */
static char *domain_form(const char *recipient)
{
    const char *at = strrchr(recipient, '@');
    g_autofree char *domain = at ? limit_domain(at) : NULL;

    if (!domain)
        return NULL;
    /* As Postfix takes one off when it rewrites. */
    if (g_str_has_suffix(domain, "."))
        domain[strlen(domain) - 1] = '\0';
    return *domain ? g_strconcat("@", domain, NULL) : NULL;
}

char *suppression_address(const char *recipient)
{
    g_autofree char *domain = domain_form(recipient);
    const char *at = strrchr(recipient, '@');

    if (!domain || at == recipient || at - recipient >= SUPPRESSION_ADDRESS_MAX ||
        !g_utf8_validate(recipient, at - recipient, NULL))
        return NULL;
    g_autofree char *local = local_form(recipient, (gsize)(at - recipient));
    g_autofree char *address = g_strconcat(local, domain, NULL);
    return strlen(address) <= SUPPRESSION_ADDRESS_MAX ? g_steal_pointer(&address) : NULL;
}

char *suppression_lookup(const char *recipient)
{
    char *address = suppression_address(recipient);

    return address ? address : domain_form(recipient);
}

const char *suppression_domain(const char *address)
{
    return strrchr(address, '@');
}
