/* SPDX-License-Identifier: MIT */
#include "lib/httpd/listen_at.h"

#include <gio/gio.h>
#include <string.h>
#include <sys/un.h>

#include "lib/base/error.h"

static const char allowed[] =
    "allowed are http://ADDRESS:PORT, https://ADDRESS:PORT and unix:/PATH";

static gboolean read_path(const char *path, ListenAt *at)
{
    struct sockaddr_un *address = (struct sockaddr_un *)(void *)&at->address;

    if (*path != '/' || strlen(path) >= sizeof address->sun_path)
        return FALSE;
    address->sun_family = AF_UNIX;
    g_strlcpy(address->sun_path, path, sizeof address->sun_path);
    at->length = sizeof *address;
    return TRUE;
}

/* ADDRESS:PORT and nothing behind it but a slash. */
static gboolean read_address(const char *text, ListenAt *at)
{
    const char *colon = strrchr(text, ':');
    gsize digits = colon ? strspn(colon + 1, "0123456789") : 0;
    guint64 port;

    if (!colon || (colon[1 + digits] && !g_str_equal(colon + 1 + digits, "/")))
        return FALSE;
    g_autofree char *number = g_strndup(colon + 1, digits);
    g_autofree char *host = g_strndup(text, (gsize)(colon - text));
    gsize length = strlen(host);
    gboolean bracket = length > 2 && host[0] == '[' && host[length - 1] == ']';
    if (bracket)
        host[length - 1] = '\0';
    if (!g_ascii_string_to_unsigned(number, 10, 1, G_MAXUINT16, &port, NULL))
        return FALSE;
    g_autoptr(GSocketAddress) address =
        g_inet_socket_address_new_from_string(host + bracket, (guint)port);
    gssize size = address ? g_socket_address_get_native_size(address) : 0;
    gboolean v6 = address && g_socket_address_get_family(address) == G_SOCKET_FAMILY_IPV6;
    if (size <= 0 || v6 != bracket)
        return FALSE;
    at->length = (socklen_t)size;
    return g_socket_address_to_native(address, &at->address, sizeof at->address, NULL);
}

static gboolean read_word(const char *word, ListenAt *at)
{
    at->tls = g_str_has_prefix(word, "https://");
    if (g_str_has_prefix(word, "unix:"))
        return read_path(word + strlen("unix:"), at);
    if (at->tls || g_str_has_prefix(word, "http://"))
        return read_address(strstr(word, "//") + 2, at);
    return FALSE;
}

static void clear(gpointer at)
{
    g_free(((ListenAt *)at)->text);
}

GArray *listen_at_read(const char *text, GError **error)
{
    g_autoptr(GArray) places = g_array_new(FALSE, FALSE, sizeof(ListenAt));
    g_auto(GStrv) words = g_strsplit_set(text, ", \t", -1);

    g_array_set_clear_func(places, clear);
    for (guint i = 0; words[i]; i++) {
        ListenAt at = {0};
        if (!*words[i])
            continue;
        if (places->len == LISTEN_AT_MAX || !read_word(words[i], &at)) {
            g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "%.128s: %s", words[i],
                        places->len == LISTEN_AT_MAX
                            ? "is one too many: allowed are " G_STRINGIFY(LISTEN_AT_MAX)
                            : allowed);
            return NULL;
        }
        at.text = g_strdup(words[i]);
        g_array_append_val(places, at);
    }
    if (places->len > 0)
        return g_steal_pointer(&places);
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "nothing is named: %s", allowed);
    return NULL;
}
