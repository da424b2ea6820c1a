/* SPDX-License-Identifier: MIT */
#include "lib/seal/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/error.h"

void secret_forget(char *text)
{
    if (text)
        OPENSSL_cleanse(text, strlen(text));
    g_free(text);
}

static gboolean refuse(GError **error, const char *path, const char *what)
{
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "%s: allowed is %s", path, what);
    return FALSE;
}

static gboolean read_text(int fd, const char *path, char *text, gsize room, GError **error)
{
    gsize length = 0;
    ssize_t n;

    while ((n = read(fd, text + length, room - length)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_set_errno(error, errno, "read", path);
        length += (gsize)n;
    }
    if (length == room) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID,
                    "%s: allowed is a file of at most %" G_GSIZE_FORMAT " octets", path, room - 1);
        return FALSE;
    }
    return strlen(text) == length || refuse(error, path, "text without NUL octets");
}

static gboolean check_file(int fd, const char *path, GError **error)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return error_set_errno(error, errno, "stat", path);
    if (!S_ISREG(st.st_mode))
        return refuse(error, path, "a regular file");
    return !(st.st_mode & S_IRWXO) ||
           refuse(error, path, "a mode by which others may not read it (0640)");
}

char *secret_file_read(const char *path, gsize max, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    char *text;

    if (fd < 0) {
        error_set_errno(error, errno, "open", path);
        return NULL;
    }
    text = g_malloc0(max + 2);
    if (!check_file(fd, path, error) || !read_text(fd, path, text, max + 1, error)) {
        OPENSSL_cleanse(text, max + 2);
        g_clear_pointer(&text, g_free);
    }
    close(fd);
    return text;
}
