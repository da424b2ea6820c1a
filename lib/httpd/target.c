/* SPDX-License-Identifier: MIT */
#include "lib/httpd/target.h"

#include <string.h>

#define PORT_DIGITS_MAX 5

static gboolean is_plain(const char *text)
{
    for (; *text; text++)
        if ((guchar)*text <= ' ' || *text == 0x7f || *text == '#')
            return FALSE;
    return TRUE;
}

/* The authority of an absolute target, moved to the left by one, so that its end need not be the path's begin. */
static const char *cut_authority(char *text, char **path)
{
    gsize scheme = g_ascii_strncasecmp(text, "http://", 7) == 0    ? 7
                   : g_ascii_strncasecmp(text, "https://", 8) == 0 ? 8
                                                                   : 0;
    if (scheme == 0)
        return NULL;
    gsize length = strcspn(text + scheme, "/?");
    memmove(text + scheme - 1, text + scheme, length);
    text[scheme - 1 + length] = '\0';
    *path = text + scheme + length;
    return text + scheme - 1;
}

gboolean target_read(char *text, Target *target)
{
    Target found = {0};
    char *path = text;

    if (!is_plain(text))
        return FALSE;
    if (*text != '/' && strcmp(text, "*") != 0) {
        found.authority = cut_authority(text, &path);
        if (!found.authority)
            return FALSE;
    }
    char *mark = strchr(path, '?');
    if (mark) {
        *mark = '\0';
        found.query = mark + 1;
    }
    found.path = *path ? path : "/";
    *target = found;
    return TRUE;
}

static gboolean is_port(const char *text)
{
    gsize digits = strspn(text, "0123456789");

    return digits <= PORT_DIGITS_MAX && text[digits] == '\0';
}

char *target_host(const char *text)
{
    static const char name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    gboolean bracket = *text == '[';
    gsize length = bracket ? 1 + strspn(text + 1, "0123456789abcdefABCDEF:.") : strspn(text, name);

    if (bracket && text[length++] != ']')
        return NULL;
    const char *rest = text + length;
    if ((*rest == ':' && !is_port(rest + 1)) || (*rest != ':' && *rest != '\0'))
        return NULL;
    if (!bracket && length > 1 && text[length - 1] == '.')
        length--;
    if (length == 0 || length > TARGET_HOST_MAX || *text == '.' ||
        g_strstr_len(text, (gssize)length + 1, ".."))
        return NULL;
    return g_ascii_strdown(text, (gssize)length);
}
