/* SPDX-License-Identifier: MIT */
#include "api/http_daemon.h"

#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sysexits.h>

#include "lib/httpd/listen_at.h"
#include "lib/log/log.h"
#include "lib/service/listen.h"

#define TICK_MS      1000
#define LARGE_OCTETS (256 * 1024)
#define MANY         256 /* connections */

typedef struct {
    Service *service;
    const HttpDaemon *daemon;
    Httpd *httpd;
    const char *tls_dir; /* NULL: no listener has TLS */
} Running;

/* FALSE: the one set that is needed could not be loaded. */
static gboolean load_certificates(const Running *running)
{
    g_autoptr(GPtrArray) wrong = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) error = NULL;

    gboolean loaded = httpd_load_certificates(running->httpd, running->tls_dir, wrong, &error);
    for (guint i = 0; i < wrong->len; i++)
        log_warning(NULL, "a certificate cannot be used", LOG_TEXT("why", wrong->pdata[i]));
    if (!loaded)
        log_error(NULL, "certificates are not loaded", LOG_GERROR(error));
    return loaded;
}

static void reload(const Running *running)
{
    running->daemon->reload(running->daemon->data);
    if (running->tls_dir && load_certificates(running))
        log_info(NULL, "certificates are loaded again");
}

static gboolean listen_at_all(const Running *running, const GArray *places, GError **error)
{
    for (guint i = 0; i < places->len; i++) {
        const ListenAt *at = &g_array_index(places, ListenAt, i);
        int fd = service_listen_at(at, error);
        if (fd < 0 || !httpd_listen(running->httpd, fd, at->tls, error))
            return FALSE;
        log_info(NULL, "listening", LOG_TEXT("at", at->text));
    }
    return TRUE;
}

/* Each connection has its piece of the heap. Once many are gone, their memory is to be the system's again. */
static void give_back(const Running *running, guint64 *most)
{
    ConnectionCounts counts;

    httpd_count(running->httpd, &counts);
    if (*most > MANY && counts.open < *most / 2) {
        malloc_trim(0);
        *most = counts.open;
    }
    *most = MAX(*most, counts.open);
}

static void run(const Running *running)
{
    struct pollfd signals = {.fd = service_signal_fd(running->service), .events = POLLIN};
    guint64 most = 0;
    int number = 0;

    while (number != SIGTERM && number != SIGINT) {
        number = poll(&signals, 1, TICK_MS) > 0 ? service_read_signal(running->service) : 0;
        if (number == SIGHUP)
            reload(running);
        running->daemon->tick(running->httpd, running->daemon->data);
        give_back(running, &most);
        service_watchdog(running->service);
    }
}

static gboolean needs_tls(const GArray *places)
{
    for (guint i = 0; i < places->len; i++)
        if (g_array_index(places, ListenAt, i).tls)
            return TRUE;
    return FALSE;
}

static int serve(const Running *running, const GArray *places)
{
    g_autoptr(GError) error = NULL;
    gboolean listening =
        (!running->tls_dir || load_certificates(running)) && listen_at_all(running, places, &error);

    if (error)
        log_error(NULL, "cannot listen", LOG_GERROR(error));
    if (listening) {
        service_ready(running->service, "answering");
        run(running);
        service_stopping(running->service);
    }
    httpd_stop(running->httpd, running->daemon->stop_seconds);
    return listening ? EXIT_SUCCESS : EX_UNAVAILABLE;
}

static Proxies *read_proxies(const Config *config, const HttpDaemon *daemon, GError **error)
{
    gboolean forwarded = g_str_equal(config_string(config, daemon->proxy_field), "forwarded");

    return proxies_read(config_string(config, daemon->proxies),
                        forwarded ? PROXIES_FORWARDED : PROXIES_X_FORWARDED_FOR, error);
}

/* Raises the limit of open files as far as it may be, and says so when that is not enough. */
static void allow_files(guint connections)
{
    const rlim_t wanted = (rlim_t)connections + HTTPD_FILES_KEPT;
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur >= wanted)
        return;
    files.rlim_cur = MIN(wanted, files.rlim_max);
    if (setrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur < wanted)
        log_warning(NULL, "fewer connections than configured: open files are limited",
                    LOG_INT("files", files.rlim_cur), LOG_INT("wanted", wanted));
}

int http_daemon_run(Service *service, const HttpDaemon *daemon)
{
    const Config *config = service_config(service);
    HttpdOptions options = daemon->http;
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) places = listen_at_read(config_string(config, daemon->listen), &error);
    g_autoptr(Proxies) proxies = places ? read_proxies(config, daemon, &error) : NULL;

    if (!proxies) {
        log_error(NULL, "cannot start", LOG_GERROR(error));
        return EX_UNAVAILABLE;
    }
    options.proxies = proxies;
    options.limits.connections = (guint)config_int(config, daemon->connections);
    options.limits.per_address = (guint)config_int(config, daemon->per_address);
    allow_files(options.limits.connections);
    /* What a burst of bodies or clicks gathers goes back to the system, and does not become heap. */
    mallopt(M_MMAP_THRESHOLD, LARGE_OCTETS);
    const Running running = {.service = service,
                             .daemon = daemon,
                             .httpd = httpd_new(&options, &daemon->site),
                             .tls_dir =
                                 needs_tls(places) ? config_string(config, daemon->tls_dir) : NULL};
    return serve(&running, places);
}
