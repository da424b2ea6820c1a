/* SPDX-License-Identifier: MIT */
/* Sockets that Postfix connects to, and lock files. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/service/service.h"

#define BACKLOG     128
#define SOCKET_MODE 0660
#define PID_WIDTH   10

/* 0 when somebody answers at an address, EAGAIN when its backlog is full, else why nobody does. */
static int try_connect(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return errno;
    int result = connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ? 0 : errno;
    close(fd);
    return result;
}

static gboolean is_live(const struct sockaddr_un *address)
{
    int result = try_connect(address);
    return result == 0 || result == EAGAIN;
}

gboolean service_share_socket(const Config *config, const char *path, GError **error)
{
    const char *name = config_string(config, CONFIG_SOCKET_GROUP);
    struct group entry, *found = NULL;
    char buffer[16384];

    if (*name == '\0')
        return TRUE;
    if (getgrnam_r(name, &entry, buffer, sizeof(buffer), &found) != 0 || !found) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID,
                    "socket_group: there is no group %s", name);
        return FALSE;
    }
    /* Others may write in the directory: what a root program changes must not be what a link of theirs names. */
    return lchown(path, (uid_t)-1, found->gr_gid) == 0 ||
           error_set_errno(error, errno, "change group of", path);
}

static gboolean bind_socket(int fd, const struct sockaddr_un *address, const Config *config,
                            GError **error)
{
    const char *path = address->sun_path;

    if (is_live(address)) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_CONFLICT,
                    "%s: another process listens here", path);
        return FALSE;
    }
    if (unlink(path) < 0 && errno != ENOENT)
        return error_set_errno(error, errno, "remove", path);
    /* Nobody else gets in between bind and chmod: the directory is ours. */
    mode_t before = umask(0777 & ~SOCKET_MODE);
    int bound = bind(fd, (const struct sockaddr *)address, sizeof(*address));
    umask(before);
    if (bound < 0)
        return error_set_errno(error, errno, "bind", path);
    if (!service_share_socket(config, path, error))
        return FALSE;
    return listen(fd, BACKLOG) == 0 || error_set_errno(error, errno, "listen at", path);
}

/* The socket of a path among those of the service manager, -1: none. */
static int find_inherited(const char *path)
{
    int count = sd_listen_fds(0);

    for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + count; fd++)
        if (sd_is_socket_unix(fd, SOCK_STREAM, 1, path, 0) > 0 &&
            fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == 0)
            return fd;
    return -1;
}

int service_listen(const Service *service, const char *name, GError **error)
{
    const Config *config = service_config(service);
    g_autofree char *path = config_path(config, CONFIG_SOCKET_DIR, name);
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof(address.sun_path)) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID,
                    "socket_dir: %s: allowed are paths of at most %zu octets", path,
                    sizeof(address.sun_path) - 1);
        return -1;
    }
    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    int fd = find_inherited(path);
    if (fd >= 0)
        return fd;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        error_set_errno(error, errno, "make a socket for", path);
        return -1;
    }
    if (bind_socket(fd, &address, config, error))
        return fd;
    close(fd);
    return -1;
}

static gboolean is_one_of(const char *const *users, uid_t uid)
{
    for (; *users; users++) {
        const struct passwd *entry = getpwnam(*users);
        if (entry && entry->pw_uid == uid)
            return TRUE;
    }
    return FALSE;
}

int service_accept(int listener, const char *const *users, uid_t *uid, GError **error)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    struct ucred peer = {0};
    socklen_t size = sizeof(peer);

    if (fd < 0) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE, "accept: %s",
                    g_strerror(errno));
        return -1;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || !is_one_of(users, peer.uid)) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_REFUSED,
                    "process %d of user %u may not ask", (int)peer.pid, (unsigned)peer.uid);
        close(fd);
        return -1;
    }
    *uid = peer.uid;
    return fd;
}

/* The pid that the holder left in its lock file; 0 when there is none. */
static long long holder(int fd)
{
    char text[32] = "";

    if (pread(fd, text, sizeof(text) - 1, 0) <= 0)
        return 0;
    return g_ascii_strtoll(text, NULL, 10);
}

int service_lock(const char *path, GError **error)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);

    if (fd < 0) {
        error_set_errno(error, errno, "open", path);
        return -1;
    }
    if (fcntl(fd, F_OFD_SETLK, &lock) < 0) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_CONFLICT, "%s: process %lld holds it",
                    path, holder(fd));
        close(fd);
        return -1;
    }
    /* Always as long, so that a full disk still takes what is written over. */
    g_autofree char *pid = g_strdup_printf("%*d\n", PID_WIDTH, getpid());
    if (pwrite(fd, pid, strlen(pid), 0) < 0 || ftruncate(fd, (off_t)strlen(pid)) < 0) {
        error_set_errno(error, errno, "write", path);
        close(fd);
        return -1;
    }
    return fd;
}

gboolean service_answers(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (g_strlcpy(address.sun_path, path, sizeof(address.sun_path)) >= sizeof(address.sun_path))
        return FALSE;
    return try_connect(&address) == 0;
}

gboolean service_lock_is_held(const char *path, GError **error)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0)
        return errno == ENOENT ? FALSE : error_set_errno(error, errno, "open", path);
    gboolean held = fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    close(fd);
    return held;
}
