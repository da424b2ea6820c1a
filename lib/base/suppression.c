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

char *suppression_address(const char *recipient)
{
    const char *at = strrchr(recipient, '@');
    g_autofree char *domain =
        at && at > recipient && at - recipient < SUPPRESSION_ADDRESS_MAX ? limit_domain(at) : NULL;

    if (!domain || !g_utf8_validate(recipient, at - recipient, NULL))
        return NULL;
    /* As Postfix takes one off when it rewrites. */
    if (g_str_has_suffix(domain, "."))
        domain[strlen(domain) - 1] = '\0';
    if (!*domain)
        return NULL;
    g_autofree char *local = g_ascii_strdown(recipient, at - recipient);
    g_autofree char *address = g_strconcat(local, "@", domain, NULL);
    return strlen(address) <= SUPPRESSION_ADDRESS_MAX ? g_steal_pointer(&address) : NULL;
}

const char *suppression_domain(const char *address)
{
    return strrchr(address, '@');
}
