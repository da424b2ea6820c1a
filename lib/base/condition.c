/* SPDX-License-Identifier: MIT */
#include "lib/base/condition.h"

#include <string.h>

#include "lib/base/address.h"

#define SEPARATOR ","

/* Everything before the last @, in lower case beyond ASCII too, and without a +tag; a + at the very beginning is no tag. */
static char *local_form(const char *address, const char *at)
{
    g_autofree char *local = g_strndup(address, (gsize)(at - address));
    char *plus = *local ? strchr(local + 1, '+') : NULL;

    if (plus)
        *plus = '\0';
    return g_utf8_validate(local, -1, NULL) ? g_utf8_strdown(local, -1)
                                            : g_ascii_strdown(local, -1);
}

static gboolean is_domain(const char *text)
{
    return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-._") == strlen(text);
}

/* NULL: it is none. */
static char *read_one(const char *text)
{
    const char *at = strrchr(text, '@');
    g_autofree char *domain = address_domain_form(at ? at + 1 : text);

    if (strlen(text) > ADDRESS_MAX || !domain || !is_domain(domain))
        return NULL;
    if (!at)
        return g_steal_pointer(&domain);
    g_autofree char *local = local_form(text, at);
    const char *plus = at > text ? strchr(text + 1, '+') : NULL;
    if (!*local || strpbrk(local, " \"<>()@") || (plus && plus < at))
        return NULL; /* what has a tag would match nothing */
    return g_strconcat(local, "@", domain, NULL);
}

char *condition_list_read(const char *text, const char **wrong)
{
    g_auto(GStrv) words = g_strsplit(text, SEPARATOR, -1);
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(g_free);

    if (g_strv_length(words) > CONDITION_MAX) {
        *wrong = "allowed are 100 conditions";
        return NULL;
    }
    for (guint i = 0; words[i]; i++) {
        char *one = read_one(g_strstrip(words[i]));
        if (!one) {
            *wrong = "allowed are addresses without a +tag, and domains, with commas between";
            return NULL;
        }
        if (g_ptr_array_find_with_equal_func(list, one, g_str_equal, NULL))
            g_free(one);
        else
            g_ptr_array_add(list, one);
    }
    if (list->len == 0) {
        *wrong = "allowed is at least one address or domain";
        return NULL;
    }
    g_ptr_array_add(list, NULL);
    return g_strjoinv(SEPARATOR, (char **)list->pdata);
}

static gboolean has(const char *list, const char *wanted)
{
    gsize length = strlen(wanted);

    for (const char *p = list; *p;) {
        gsize n = strcspn(p, SEPARATOR);
        if (n == length && memcmp(p, wanted, n) == 0)
            return TRUE;
        p += n + (p[n] ? 1 : 0);
    }
    return FALSE;
}

gboolean condition_keys(const char *address, char **whole, char **domain)
{
    *domain = address ? address_domain(address) : NULL;
    if (!*domain)
        return FALSE;
    g_autofree char *local = local_form(address, strrchr(address, '@'));
    *whole = g_strconcat(local, "@", *domain, NULL);
    return TRUE;
}

gboolean condition_list_match(const char *list, const char *address)
{
    g_autofree char *whole = NULL, *domain = NULL;

    return list && condition_keys(address, &whole, &domain) &&
           (has(list, domain) || has(list, whole));
}
