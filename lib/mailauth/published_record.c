/* SPDX-License-Identifier: MIT */
#include "lib/mailauth/published_record.h"

#include <string.h>

static const char too_long[] = "the record is longer than 4096 octets";

/* The value of a tag in a tag=value list, its white space gone; NULL: there is none. *twice: there are several. */
static char *tag_value(char **tags, const char *name, gboolean *twice)
{
    char *found = NULL;

    for (guint i = 0; tags[i]; i++) {
        char *equals = strchr(tags[i], '=');
        if (!equals)
            continue;
        g_autofree char *word = g_strndup(tags[i], (gsize)(equals - tags[i]));
        if (!g_str_equal(g_strstrip(word), name))
            continue;
        *twice |= found != NULL;
        g_free(found);
        g_auto(GStrv) pieces = g_strsplit_set(equals + 1, " \t\r\n", -1);
        found = g_strjoinv("", pieces);
    }
    return found;
}

/* Whether a colon-separated list has a word; no list has every word. */
static gboolean lists(const char *list, const char *word)
{
    if (!list)
        return TRUE;
    g_auto(GStrv) words = g_strsplit(list, ":", -1);
    for (guint i = 0; words[i]; i++)
        if (g_ascii_strcasecmp(words[i], word) == 0)
            return TRUE;
    return FALSE;
}

const char *published_dkim_differs(const char *text, const char *algorithm, const char *public_key)
{
    if (strlen(text) > PUBLISHED_TEXT_MAX)
        return too_long;
    g_auto(GStrv) tags = g_strsplit(text, ";", -1);
    gboolean twice = FALSE;
    g_autofree char *version = tag_value(tags, "v", &twice);
    g_autofree char *kind = tag_value(tags, "k", &twice);
    g_autofree char *hashes = tag_value(tags, "h", &twice);
    g_autofree char *services = tag_value(tags, "s", &twice);
    g_autofree char *flags = tag_value(tags, "t", &twice);
    g_autofree char *key = tag_value(tags, "p", &twice);

    if (twice)
        return "the record has a tag twice";
    if (version && (!g_str_equal(version, "DKIM1") || !g_strrstr(tags[0], "DKIM1")))
        return "v=DKIM1 does not come first";
    if (!key)
        return "the record has no p= tag";
    if (!*key)
        return "p= is empty: the key is revoked";
    if (!g_str_equal(kind ? kind : "rsa", algorithm))
        return "k= names another algorithm";
    if (!lists(hashes, "sha256"))
        return "h= does not allow sha256";
    if (!lists(services, "*") && !lists(services, "email"))
        return "s= does not allow email";
    if (flags && lists(flags, "y"))
        return "t=y says that the domain only tests DKIM";
    return g_str_equal(key, public_key) ? NULL : "p= is another key";
}

gboolean published_dkim_may_hold(const char *text, const char *public_key)
{
    gboolean twice = FALSE;

    if (strlen(text) > PUBLISHED_TEXT_MAX)
        return TRUE;
    g_auto(GStrv) tags = g_strsplit(text, ";", -1);
    g_autofree char *key = tag_value(tags, "p", &twice);
    return twice || g_strcmp0(key, public_key) == 0;
}

static gboolean begins_with_version(const char *text, const char *version)
{
    gsize length = strlen(version);

    return g_ascii_strncasecmp(text, version, length) == 0 &&
           (text[length] == '\0' || strchr(" \t;", text[length]));
}

gboolean published_is_spf(const char *text)
{
    return begins_with_version(text, "v=spf1");
}

gboolean published_is_dmarc(const char *text)
{
    return begins_with_version(text, "v=DMARC1");
}
