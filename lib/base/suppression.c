/* SPDX-License-Identifier: MIT */
#include "lib/base/suppression.h"

#include <string.h>

#include "lib/base/address.h"

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
    g_autofree char *address = address_form(recipient);

    return address && *address != '@' ? g_steal_pointer(&address) : NULL;
}

char *suppression_lookup(const char *recipient)
{
    char *address = suppression_address(recipient);
    g_autofree char *domain = address ? NULL : address_domain(recipient);

    return domain ? g_strconcat("@", domain, NULL) : address;
}

const char *suppression_domain(const char *address)
{
    return strrchr(address, '@');
}
