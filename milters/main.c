/* SPDX-License-Identifier: MIT */
/*
 * outrider-milter(8): ADMIT and DISPATCH for submission listeners.
 *
 * libmilter waits for SIGTERM, SIGINT and SIGHUP in a thread of its own, and stops at each. The main
 * thread waits for them too: the kernel gives a signal of the process to the main thread when that
 * can take it, so libmilter, which runs in another thread, never sees one.
 *
 * The end: messages that are being taken are finished, further ones deferred. smfi_stop is not called:
 * it waits up to five seconds for the listener to look, and not for the messages.
 */
#include <errno.h>
#include <libmilter/mfapi.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/log/log.h"
#include "lib/service/service.h"
#include "milters/callback.h"

#define BACKLOG    128
#define DRAIN_TIME 30 /* seconds, well below what systemd waits for */
#define REPLY_TIME (G_USEC_PER_SEC / 10)

/* The journal's lock has shown that we are the only milter: what is at the path is stale. */
static gboolean listen_at(const char *path, const Config *config, GError **error)
{
    g_autofree char *address = g_strconcat("unix:", path, NULL);
    mode_t mask = umask(0117);
    gboolean open = smfi_setconn(address) == MI_SUCCESS && smfi_setbacklog(BACKLOG) == MI_SUCCESS &&
                    smfi_opensocket(TRUE) == MI_SUCCESS;

    umask(mask);
    if (!open)
        return error_set_errno(error, errno, "listen at", path);
    return service_share_socket(config, path, error);
}

static gint broken; /* libmilter ended, which we never ask it to do */

static gpointer run(gpointer data)
{
    (void)data;
    smfi_main();
    g_atomic_int_set(&broken, 1);
    /* The main thread waits for a signal: without libmilter there is nothing left to wait for. */
    kill(getpid(), SIGTERM);
    return NULL;
}

static void wait_for_end(Shared *shared)
{
    sigset_t set;
    int number;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    while (sigwait(&set, &number) == 0 && number == SIGHUP) {
        g_autoptr(GError) error = NULL;
        if (shared_reload(shared, &error))
            log_info(NULL, "keys read again");
        else
            log_error(NULL, "keys stay as they were", LOG_GERROR(error));
    }
}

static gboolean serve(const Service *service, GError **error)
{
    const Config *config = service_config(service);
    g_autofree char *path = config_path(config, CONFIG_SOCKET_DIR, "milter");
    g_autoptr(Shared) shared = shared_open(config, error);

    if (!shared || !callback_register(shared, error) || !listen_at(path, config, error))
        return FALSE;
    g_thread_unref(g_thread_new("libmilter", run, NULL));
    service_ready(service, "waiting for mail");
    wait_for_end(shared);
    service_stopping(service);
    if (!callback_drain(DRAIN_TIME)) {
        log_error(NULL, "a message is still being taken; it is given up");
        /* Its thread goes on using it until the process ends. */
        (void)g_steal_pointer(&shared);
    }
    /* libmilter answers after the last callback returned. */
    g_usleep(REPLY_TIME);
    unlink(path);
    if (!g_atomic_int_get(&broken))
        return TRUE;
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE, "libmilter does not listen");
    return FALSE;
}

int main(int argc, char **argv)
{
    static const ServiceInfo info = {.name = "outrider-milter",
                                     .summary = "admits, signs and routes submitted mail"};
    int status = 0;
    g_autoptr(GError) error = NULL;
    g_autoptr(Service) service = service_start(&info, &argc, &argv, &status);

    if (!service)
        return status;
    if (serve(service, &error))
        return 0;
    log_error(NULL, "cannot serve", LOG_GERROR(error));
    return 1;
}
