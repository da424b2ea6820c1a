/* SPDX-License-Identifier: MIT */
#include "lib/service/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/service/service.h"

#define BACKLOG 4096

static gboolean is_at(int fd, const ListenAt *at)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;

    memset(&address, 0, sizeof address);
    if (sd_is_socket(fd, at->address.ss_family, SOCK_STREAM, 1) <= 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) < 0)
        return FALSE;
    if (at->address.ss_family == AF_UNIX)
        return g_str_equal(((struct sockaddr_un *)(void *)&address)->sun_path,
                           ((const struct sockaddr_un *)(const void *)&at->address)->sun_path);
    return length == at->length && memcmp(&address, &at->address, length) == 0;
}

static int find_inherited(const ListenAt *at)
{
    int count = sd_listen_fds(0);

    for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + count; fd++)
        if (is_at(fd, at) && fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == 0)
            return fd;
    return -1;
}

static gboolean bind_at(int fd, const ListenAt *at, GError **error)
{
    const char *path = ((const struct sockaddr_un *)(const void *)&at->address)->sun_path;
    gboolean is_path = at->address.ss_family == AF_UNIX;
    int yes = 1;

    if (is_path && service_answers(path)) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_CONFLICT,
                    "%s: another process listens here", at->text);
        return FALSE;
    }
    if (is_path && unlink(path) < 0 && errno != ENOENT)
        return error_set_errno(error, errno, "remove", path);
    if (!is_path)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (at->address.ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
    mode_t before = umask(0111);
    int bound = bind(fd, (const struct sockaddr *)&at->address, at->length);
    umask(before);
    return (bound == 0 && listen(fd, BACKLOG) == 0) ||
           error_set_errno(error, errno, "listen at", at->text);
}

int service_listen_at(const ListenAt *at, GError **error)
{
    int fd = find_inherited(at);

    if (fd >= 0)
        return fd;
    fd = socket(at->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        error_set_errno(error, errno, "make a socket for", at->text);
        return -1;
    }
    if (bind_at(fd, at, error))
        return fd;
    close(fd);
    return -1;
}
