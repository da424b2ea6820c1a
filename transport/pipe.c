/* SPDX-License-Identifier: MIT */
/* outrider-pipe(8), as Postfix's pipe(8) starts it: hands its command line and its descriptors to outrider-piped, which has loaded what it
 * takes, and ends as that says. If nobody answers there it becomes the same program itself. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/config/config.h"
#include "transport/pipe_command.h"
#include "transport/pipe_end.h"
#include "transport/pipe_link.h"

#define PROGRAM      "outrider-piped"
#define LOST         "4.3.0 outrider-piped ended without an answer"
#define MISSING      "4.3.5 outrider-piped cannot be started"
#define PATH_ROOM    4096
#define MORE_SECONDS 10 /* than outrider-piped has */

/* Whatever is not right about the command line or the file outrider-piped says. */
static Config *load(char *const *argv)
{
    g_auto(PipeCommand) command = {0};

    return pipe_command_read(argv, &command, NULL) ? config_load(command.config, NULL) : NULL;
}

/* -1: nobody answers. */
static int open_link(char *const *argv)
{
    g_autoptr(Config) config = load(argv);
    g_autofree char *path =
        config ? config_path(config, CONFIG_SOCKET_DIR, PIPE_LINK_SOCKET) : NULL;
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (!path ||
        g_strlcpy(address.sun_path, path, sizeof address.sun_path) >= sizeof address.sun_path)
        return -1;
    /* One that does not wait: a full backlog is nobody, too. */
    int link = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (link >= 0 && connect(link, (const struct sockaddr *)&address, sizeof address) == 0 &&
        fcntl(link, F_SETFL, 0) == 0)
        return link;
    if (link >= 0)
        close(link);
    return -1;
}

static void become(char **argv)
{
    char path[PATH_ROOM];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - sizeof PROGRAM);
    char *name = n > 0 ? memrchr(path, '/', (size_t)n) : NULL;

    if (!name)
        return;
    memcpy(name + 1, PROGRAM, sizeof PROGRAM);
    execv(path, argv);
}

/* As outrider-piped ends; without a word of it nobody knows what it did. */
static G_NORETURN void end_as(int link)
{
    guint8 status = 0;
    gssize n;

    do
        n = recv(link, &status, 1, 0);
    while (n < 0 && errno == EINTR);
    if (n == 1)
        pipe_end(status, "");
    pipe_end(EX_TEMPFAIL, LOST);
}

int main(int argc, char **argv)
{
    pipe_end_on_signals(PIPE_END_SECONDS + MORE_SECONDS);
    /* When pipe(8) dies amid a message its end looks like the message's. */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    int link = open_link(argv);

    if (link >= 0 && pipe_link_hand_over(link, argc, argv))
        end_as(link);
    if (link >= 0)
        close(link);
    become(argv);
    pipe_end(EX_TEMPFAIL, MISSING);
}
