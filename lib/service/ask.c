/* SPDX-License-Identifier: MIT */
#include "lib/service/ask.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/error.h"

struct AskLink {
    int fd;
    char *name;
    gsize length; /* of what has come and was not asked for yet */
    char data[ASK_LINE_MAX];
};

void ask_close(AskLink *link)
{
    if (!link)
        return;
    if (link->fd >= 0)
        close(link->fd);
    g_free(link->name);
    g_free(link);
}

static gboolean away(const AskLink *link, const char *why, GError **error)
{
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE, "socket %s: %s", link->name,
                why);
    return FALSE;
}

static gboolean set_patience(const AskLink *link, guint seconds)
{
    const struct timeval patience = {.tv_sec = seconds};

    return setsockopt(link->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0 &&
           setsockopt(link->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) == 0;
}

void ask_patience(AskLink *link, guint seconds)
{
    set_patience(link, seconds);
}

static gboolean connect_to(AskLink *link, const char *path, GError **error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (g_strlcpy(address.sun_path, path, sizeof address.sun_path) >= sizeof address.sun_path)
        return away(link, "its path is too long", error);
    link->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (link->fd < 0 || !set_patience(link, ASK_SECONDS) ||
        connect(link->fd, (const struct sockaddr *)&address, sizeof address) < 0)
        return away(link, g_strerror(errno), error);
    return TRUE;
}

AskLink *ask_open(const Config *config, const char *name, GError **error)
{
    g_autofree char *path = config_path(config, CONFIG_SOCKET_DIR, name);
    g_autoptr(AskLink) link = g_new0(AskLink, 1);

    link->fd = -1;
    link->name = g_strdup(name);
    return connect_to(link, path, error) ? g_steal_pointer(&link) : NULL;
}

gboolean ask_send(AskLink *link, const GString *lines, GError **error)
{
    for (gsize sent = 0; sent < lines->len;) {
        ssize_t n = send(link->fd, lines->str + sent, lines->len - sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return away(link, g_strerror(errno), error);
        sent += (gsize)n;
    }
    return TRUE;
}

/* Takes the line that ends at end. */
static char *cut(AskLink *link, const char *end)
{
    gsize length = (gsize)(end - link->data);
    char *line = g_strndup(link->data, length);

    link->length -= length + 1;
    memmove(link->data, end + 1, link->length);
    return line;
}

char *ask_line(AskLink *link, GError **error)
{
    for (;;) {
        const char *end = memchr(link->data, '\n', link->length);
        if (end)
            return cut(link, end);
        if (link->length == sizeof link->data) {
            g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_CORRUPT,
                        "socket %s: a line of more than %d octets", link->name, ASK_LINE_MAX);
            return NULL;
        }
        ssize_t n = recv(link->fd, link->data + link->length, sizeof link->data - link->length, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            away(link, n < 0 ? g_strerror(errno) : "closed", error);
            return NULL;
        }
        link->length += (gsize)n;
    }
}
