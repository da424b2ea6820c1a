/* SPDX-License-Identifier: MIT */
#include "transport/pipe_end.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#define ENDED "4.3.0 outrider-pipe was told to end"
#define SLOW  "4.3.0 outrider-pipe took too long"

static int link_fd = -1; /* set before a signal can look at it */

G_NORETURN void pipe_end(int status, const char *line)
{
    const guint8 octet = (guint8)status;
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    G_GNUC_UNUSED ssize_t n = write(STDOUT_FILENO, line, strlen(line));
    if (link_fd >= 0)
        n = send(link_fd, &octet, 1, MSG_NOSIGNAL);
    _exit(status);
}

static void on_signal(int number)
{
    pipe_end(EX_TEMPFAIL, number == SIGALRM ? SLOW : ENDED);
}

void pipe_end_on_signals(guint seconds)
{
    static const int ended[] = {SIGTERM, SIGINT, SIGHUP, SIGALRM, SIGXCPU};
    struct sigaction action = {.sa_handler = on_signal};
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    sigfillset(&action.sa_mask);
    for (guint i = 0; i < G_N_ELEMENTS(ended); i++)
        sigaction(ended[i], &action, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGXFSZ, &ignore, NULL);
    alarm(seconds);
}

/* Its end of writing alone is no end. */
static gboolean has_hung_up(void)
{
    struct pollfd fd = {.fd = link_fd};

    return poll(&fd, 1, 0) > 0 && fd.revents & (POLLHUP | POLLERR);
}

static void on_link(int number)
{
    int saved_errno = errno;

    (void)number;
    if (has_hung_up())
        _exit(EX_TEMPFAIL);
    errno = saved_errno;
}

void pipe_end_link(int link)
{
    struct sigaction action = {.sa_handler = on_link, .sa_flags = SA_RESTART};

    link_fd = link;
    sigfillset(&action.sa_mask);
    sigaction(SIGIO, &action, NULL);
    fcntl(link, F_SETOWN, (int)getpid());
    fcntl(link, F_SETFL, fcntl(link, F_GETFL) | O_ASYNC);
    on_link(SIGIO); /* what happened before */
}
