/* SPDX-License-Identifier: MIT */
#include "transport/pipe_link.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STANDARD_FDS = STDERR_FILENO + 1 };

typedef union {
    struct cmsghdr header;
    char room[CMSG_SPACE(STANDARD_FDS * sizeof(int))];
} Control;

static gboolean send_first(int link, const GString *words)
{
    static const int fds[STANDARD_FDS] = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
    Control control = {.header = {.cmsg_len = CMSG_LEN(sizeof fds),
                                  .cmsg_level = SOL_SOCKET,
                                  .cmsg_type = SCM_RIGHTS}};
    struct iovec piece = {.iov_base = words->str, .iov_len = words->len};
    const struct msghdr message = {.msg_iov = &piece,
                                   .msg_iovlen = 1,
                                   .msg_control = &control,
                                   .msg_controllen = CMSG_SPACE(sizeof fds)};

    memcpy(CMSG_DATA(&control.header), fds, sizeof fds);
    /* It fits into a socket's buffer, so it goes as a whole or not at all. */
    return sendmsg(link, &message, MSG_NOSIGNAL) > 0;
}

gboolean pipe_link_invite(int link)
{
    return send(link, "", 1, MSG_NOSIGNAL) == 1;
}

static gboolean is_invited(int link)
{
    struct pollfd fd = {.fd = link, .events = POLLIN};
    char octet;

    return poll(&fd, 1, PIPE_LINK_SECONDS * 1000) > 0 && recv(link, &octet, 1, 0) == 1;
}

gboolean pipe_link_hand_over(int link, int argc, char *const *argv)
{
    g_autoptr(GString) words = g_string_new(NULL);

    for (int i = 0; i < argc; i++)
        g_string_append_len(words, argv[i], (gssize)strlen(argv[i]) + 1);
    if (argc > PIPE_LINK_WORDS_MAX || words->len == 0 || words->len > PIPE_LINK_MAX ||
        !is_invited(link) || !send_first(link, words))
        return FALSE;
    shutdown(link, SHUT_WR);
    return TRUE;
}

/* Descriptors that came, or FALSE and none is left open. */
static gboolean read_fds(struct msghdr *message, int fds[STANDARD_FDS])
{
    struct cmsghdr *header = CMSG_FIRSTHDR(message);

    if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
        return FALSE;
    gsize n = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    memcpy(fds, CMSG_DATA(header), MIN(n, STANDARD_FDS) * sizeof(int));
    if (n == STANDARD_FDS)
        return TRUE;
    for (gsize i = 0; i < n; i++)
        close(fds[i]);
    return FALSE;
}

static gboolean take_fds(const int fds[STANDARD_FDS])
{
    gboolean good = TRUE;

    for (int i = 0; i < STANDARD_FDS; i++) {
        good = good && fds[i] > STDERR_FILENO && dup2(fds[i], i) == i;
        close(fds[i]);
    }
    return good;
}

/* The rest, up to the end. FALSE: too much, or the link broke. */
static gboolean read_rest(int link, char *text, gsize *length)
{
    gssize n;

    while ((n = read(link, text + *length, PIPE_LINK_MAX + 1 - *length)) != 0) {
        if (n < 0 && errno != EINTR)
            return FALSE;
        *length += n > 0 ? (gsize)n : 0;
        if (*length > PIPE_LINK_MAX)
            return FALSE;
    }
    return *length > 0 && text[*length - 1] == '\0';
}

static char **split(const char *text, gsize length)
{
    g_autoptr(GStrvBuilder) words = g_strv_builder_new();
    guint count = 0;

    for (const char *word = text; word < text + length; word += strlen(word) + 1) {
        if (++count > PIPE_LINK_WORDS_MAX)
            return NULL;
        g_strv_builder_add(words, word);
    }
    return g_strv_builder_end(words);
}

char **pipe_link_take_over(int link)
{
    g_autofree char *text = g_malloc(PIPE_LINK_MAX + 1);
    Control control;
    int fds[STANDARD_FDS];
    struct iovec piece = {.iov_base = text, .iov_len = PIPE_LINK_MAX + 1};
    struct msghdr message = {.msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    gssize n = recvmsg(link, &message, MSG_CMSG_CLOEXEC);

    if (n <= 0 || !read_fds(&message, fds))
        return NULL;
    gsize length = (gsize)n;
    gboolean good = length <= PIPE_LINK_MAX && read_rest(link, text, &length);
    char **words = good ? split(text, length) : NULL;
    if (words && take_fds(fds))
        return words;
    g_strfreev(words);
    return NULL;
}
