/* SPDX-License-Identifier: MIT */
/* outrider-queue(8): holds, releases and deletes mail of ours for programs that are not root. One client at a
 * time, and so one postsuper at a time; the others wait in the socket's backlog. */
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/log/log.h"
#include "lib/service/rights.h"
#include "lib/service/service.h"
#include "transport/postfix_queue.h"

/* postsuper(1) wants to be root, and becomes Postfix's user, as we do to read. */
#define NEEDED (1 << CAP_SETUID | 1 << CAP_SETGID)

#define CLIENT_US (5 * G_USEC_PER_SEC) /* for one request to come, or one answer to go */

static const char *const clients[] = {"root", "outrider-worker", "outrider-apid", NULL};

/* What a client makes room for between two requests. */
enum { NEXT_CLIENT, SIGNALS, OTHERS };

/* Whether fd has something before the deadline. With others: and nobody else has, or at least no signal came. */
static gboolean await(int fd, gint64 deadline, const struct pollfd *others)
{
    struct pollfd fds[1 + OTHERS] = {{.fd = fd, .events = POLLIN}};
    gint64 left = deadline - g_get_monotonic_time();

    if (others)
        memcpy(fds + 1, others, OTHERS * sizeof(*others));
    return left > 0 && poll(fds, others ? 1 + OTHERS : 1, (int)(left / 1000) + 1) > 0 &&
           fds[0].revents && !fds[1 + SIGNALS].revents;
}

/* FALSE: no more is to come. */
static gboolean serve_request(const PostfixQueue *queue, int fd, uid_t uid,
                              const struct pollfd *others)
{
    const gint64 deadline = g_get_monotonic_time() + CLIENT_US;
    g_auto(QueueRequest) request = {0};
    g_autoptr(GString) answer = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    char text[QUEUE_REQUEST_MAX];
    gssize got = 0, have = 0, used = 0;

    while (used == 0 && await(fd, deadline, have > 0 ? NULL : others) &&
           (got = recv(fd, text + have, sizeof(text) - (gsize)have, MSG_DONTWAIT)) > 0) {
        have += got;
        used = queue_request_parse(text, (gsize)have, &request, &error);
    }
    if (used <= 0 || used < have) {
        if (have > 0)
            log_warning(NULL, "not a request", LOG_INT("uid", uid),
                        LOG_TEXT("error", error ? error->message : "not one whole line in time"));
        return FALSE;
    }
    postfix_queue_act(queue, &request, uid, answer);
    return send(fd, answer->str, answer->len, MSG_NOSIGNAL) == (gssize)answer->len;
}

static void serve_client(const PostfixQueue *queue, const struct pollfd *others)
{
    const struct timeval limit = {.tv_sec = CLIENT_US / G_USEC_PER_SEC};
    g_autoptr(GError) error = NULL;
    uid_t uid = 0;
    int fd = service_accept(others[NEXT_CLIENT].fd, clients, &uid, &error);

    if (fd < 0) {
        log_warning(NULL, "no connection", LOG_GERROR(error));
        return;
    }
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    if (serve_request(queue, fd, uid, NULL))
        while (serve_request(queue, fd, uid, others))
            ;
    close(fd);
}

static void serve(Service *service, const PostfixQueue *queue, int listener)
{
    struct pollfd others[OTHERS] = {
        [NEXT_CLIENT] = {.fd = listener, .events = POLLIN},
        [SIGNALS] = {.fd = service_signal_fd(service), .events = POLLIN}};

    service_ready(service, "answering");
    for (int number = 0; number == 0 || number == SIGHUP; number = service_read_signal(service))
        if (poll(others, OTHERS, -1) > 0 && others[NEXT_CLIENT].revents)
            serve_client(queue, others);
    service_stopping(service);
}

int main(int argc, char **argv)
{
    static const ServiceInfo info = {
        .name = "outrider-queue",
        .summary = "holds, releases and deletes Outrider's mail in Postfix's queue",
    };
    int status = EXIT_SUCCESS, listener = -1;
    g_autoptr(Service) service = service_start(&info, &argc, &argv, &status);
    g_auto(PostfixQueue) queue = {0};
    g_autoptr(GError) error = NULL;

    if (!service)
        return status;
    if (postfix_queue_open(&queue, service_config(service), &error) &&
        (listener = service_listen(service, "queue", &error)) >= 0 && rights_keep(NEEDED, &error)) {
        serve(service, &queue, listener);
        return EXIT_SUCCESS;
    }
    log_error(NULL, "cannot serve", LOG_GERROR(error));
    return EX_UNAVAILABLE;
}
