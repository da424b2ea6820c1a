/* SPDX-License-Identifier: MIT */
#include "lib/http/url.h"

#include <string.h>

#define HOST_MAX 255

static const char form[] = "allowed is http:// or https://, a host name or address, maybe a port, "
                           "a path and a query, in at most "
                           "2000 octets; what is not ASCII as %XX";

static gboolean is_printable(const char *text)
{
    for (const char *p = text; *p; p++)
        if (!g_ascii_isgraph(*p) || strchr("\"<>\\^`{|}", *p))
            return FALSE;
    return TRUE;
}

/* GLib decodes what readers of URLs do not agree on. */
static gboolean has_escaped_host(const char *url)
{
    const char *authority = strstr(url, "://");

    return authority && memchr(authority, '%', 3 + strcspn(authority + 3, "/?"));
}

/* GLib has taken the brackets of an IPv6 address away. */
static gboolean is_host(const char *host)
{
    static const char name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    gsize length = strlen(host);

    if (strchr(host, ':'))
        return g_hostname_is_ip_address(host) && !strchr(host, '%');
    return length > 0 && length <= HOST_MAX && strspn(host, name) == length && host[0] != '.' &&
           !strstr(host, "..");
}

const char *http_url_wrong(const char *url)
{
    g_autofree char *scheme = NULL;
    g_autofree char *user = NULL;
    g_autofree char *host = NULL;
    g_autofree char *fragment = NULL;
    int port = -1;

    G_STATIC_ASSERT(HTTP_URL_MAX == 2000);
    if (strlen(url) > HTTP_URL_MAX || !is_printable(url) ||
        !g_uri_split(url, G_URI_FLAGS_ENCODED, &scheme, &user, &host, &port, NULL, NULL, &fragment,
                     NULL))
        return form;
    if (user)
        return "names a user or a password, which would be shown to all who see the URL";
    if (fragment)
        return "has a fragment, which is never sent";
    if (!scheme ||
        (g_ascii_strcasecmp(scheme, "http") != 0 && g_ascii_strcasecmp(scheme, "https") != 0))
        return form;
    return port == 0 || !host || !is_host(host) || has_escaped_host(url) ? form : NULL;
}
