/* SPDX-License-Identifier: MIT */
#include "tests/lib/http_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/testing.h"

#define PATIENCE_SECONDS 30

int http_listen(guint16 *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 128), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

int http_connect(guint16 port, const char *from)
{
    struct sockaddr_in local = {.sin_family = AF_INET, .sin_addr.s_addr = inet_addr(from)};
    struct sockaddr_in remote = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&local, sizeof local), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&remote, sizeof remote), 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    return fd;
}

gboolean http_send(int fd, const char *octets, gssize length)
{
    gsize left = length < 0 ? strlen(octets) : (gsize)length;

    while (left > 0) {
        ssize_t n = send(fd, octets, left, MSG_NOSIGNAL);
        if (n <= 0)
            return FALSE;
        octets += n;
        left -= (gsize)n;
    }
    return TRUE;
}

static gsize body_length(const char *head)
{
    g_autofree char *lower = g_ascii_strdown(head, -1);
    const char *field = strstr(lower, "\r\ncontent-length:");

    return field ? (gsize)g_ascii_strtoull(field + strlen("\r\ncontent-length:"), NULL, 10) : 0;
}

char *http_receive(int fd, gboolean head)
{
    g_autoptr(GString) answer = g_string_new(NULL);
    gsize wanted = G_MAXSIZE;

    while (answer->len < wanted) {
        char octet;
        if (recv(fd, &octet, 1, 0) <= 0)
            return NULL;
        g_string_append_c(answer, octet);
        if (wanted == G_MAXSIZE && g_str_has_suffix(answer->str, "\r\n\r\n"))
            wanted = answer->len + (head ? 0 : body_length(answer->str));
    }
    return g_string_free(g_steal_pointer(&answer), FALSE);
}

char *http_ask(guint16 port, const char *request)
{
    int fd = http_connect(port, "127.0.0.1");
    http_send(fd, request, -1);
    char *answer = http_receive(fd, g_str_has_prefix(request, "HEAD "));

    close(fd);
    return answer;
}

gboolean http_is_closed(int fd)
{
    char octets[4096];
    ssize_t n;

    while ((n = recv(fd, octets, sizeof octets, 0)) > 0)
        ;
    return n == 0 || errno == ECONNRESET;
}

guint http_status(const char *answer)
{
    return answer && g_str_has_prefix(answer, "HTTP/1.") && strlen(answer) > 12
               ? (guint)g_ascii_strtoull(answer + 9, NULL, 10)
               : 0;
}
