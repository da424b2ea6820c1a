/* SPDX-License-Identifier: MIT */
/* outrider-piped(8): does what outrider-pipe is started for, in a process of its own for each, forked from one that has loaded the
 * libraries, half of what an attempt takes. Called by the name outrider-pipe it is one attempt and ends. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/http/http.h"
#include "lib/log/log.h"
#include "lib/mime/start.h"
#include "lib/seal/signing_key.h"
#include "lib/service/service.h"
#include "transport/pipe_end.h"
#include "transport/pipe_link.h"
#include "transport/pipe_once.h"

enum { CLIENT, SIGNALS, WATCHED };

/* In the child. */
static G_NORETURN void serve(const Config *config, int link)
{
    sigset_t none;

    pipe_end_on_signals(PIPE_END_SECONDS);
    signal(SIGCHLD, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    g_auto(GStrv) words = pipe_link_invite(link) ? pipe_link_take_over(link) : NULL;
    if (!words)
        _exit(EX_TEMPFAIL);
    pipe_end_link(link);
    pipe_once(config, words);
}

static void take_client(const Service *service, int listener)
{
    /* Postfix starts outrider-pipe as the user that we are. */
    const char *const users[] = {"root", g_get_user_name(), NULL};
    g_autoptr(GError) error = NULL;
    uid_t uid = 0;
    int link = service_accept(listener, users, &uid, &error);

    if (link < 0) {
        log_warning(NULL, "no connection", LOG_GERROR(error));
        return;
    }
    pid_t child = fork();
    if (child == 0) {
        close(listener);
        serve(service_config(service), link);
    }
    if (child < 0)
        log_warning(NULL, "cannot fork", LOG_TEXT("error", g_strerror(errno)));
    close(link);
}

/* What every child would do again. An attempt says what is wrong with the key. */
static gboolean warm_up(const Config *config, GError **error)
{
    g_autofree char *path = config_path(config, CONFIG_KEY_DIR, SIGNING_KEY_FILE);
    g_autoptr(SigningKey) key = signing_key_load(path, NULL);
    g_autoptr(Signature) signature = key ? signature_new(key, NULL) : NULL;
    g_autofree char *sha1 = NULL;
    g_autofree char *sha256 = NULL;

    if (signature)
        signature_finish(signature, &sha1, &sha256, NULL);
    mime_start();
    return http_start(error);
}

static void on_child(int number)
{
    (void)number; /* it ends ppoll(2) */
}

/* Children that have ended; with waiting until there is none. Who waits for one has been told how it ended, unless a signal did it. */
static void reap(gboolean waiting)
{
    int status = 0;
    pid_t child;

    while ((child = waitpid(-1, &status, waiting ? 0 : WNOHANG)) > 0 ||
           (child < 0 && errno == EINTR))
        if (child > 0 && WIFSIGNALED(status))
            log_warning(NULL, "an attempt was killed", LOG_INT("pid", child),
                        LOG_INT("signal", WTERMSIG(status)));
}

static void run(Service *service, int listener)
{
    const struct sigaction child = {.sa_handler = on_child};
    struct pollfd fds[WATCHED] = {[CLIENT] = {.fd = listener, .events = POLLIN},
                                  [SIGNALS] = {.fd = service_signal_fd(service), .events = POLLIN}};
    sigset_t waiting, working;

    sigaction(SIGCHLD, &child, NULL);
    sigemptyset(&working);
    sigaddset(&working, SIGCHLD);
    sigprocmask(SIG_BLOCK, &working, &waiting);
    service_ready(service, "answering");
    for (int number = 0; number == 0 || number == SIGHUP; number = service_read_signal(service)) {
        if (ppoll(fds, WATCHED, NULL, &waiting) > 0 && fds[CLIENT].revents)
            take_client(service, listener);
        reap(FALSE);
    }
    service_stopping(service);
    close(listener);
    /* What has begun ends as it would, in its time. */
    reap(TRUE);
}

static int run_service(int argc, char **argv)
{
    static const ServiceInfo info = {
        .name = "outrider-piped", .summary = "hands messages to HTTP endpoints, for outrider-pipe"};
    int status = EXIT_SUCCESS, listener = -1;
    g_autoptr(Service) service = service_start(&info, &argc, &argv, &status);
    g_autoptr(GError) error = NULL;

    if (!service)
        return status;
    if (warm_up(service_config(service), &error) &&
        (listener = service_listen(service, PIPE_LINK_SOCKET, &error)) >= 0) {
        run(service, listener);
        return EXIT_SUCCESS;
    }
    log_error(NULL, "cannot serve", LOG_GERROR(error));
    return EX_UNAVAILABLE;
}

int main(int argc, char **argv)
{
    g_autofree char *name = g_path_get_basename(argv[0]);

    if (!g_str_equal(name, "outrider-pipe"))
        return run_service(argc, argv);
    pipe_end_on_signals(PIPE_END_SECONDS);
    pipe_once(NULL, argv);
}
