/* SPDX-License-Identifier: MIT */
/* outrider-trackd: tracked links and pixels, for everybody. */
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>

#include "api/tracker.h"
#include "lib/log/log.h"
#include "lib/service/listen.h"
#include "lib/service/service.h"

#define EX_UNAVAILABLE  69
#define TICK_MS         1000
#define LARGE_OCTETS    (256 * 1024)
#define STOP_SECONDS    5
#define HEAD_MAX        (16 * 1024)
#define ANSWER_HEAD_MAX (8 * 1024) /* a URL of 2,000 octets, each percent-encoded, and the rest */

typedef struct {
    Service *service;
    Tracker *tracker;
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

static void reload(Running *running)
{
    g_autoptr(GError) error = NULL;

    if (tracker_reload(running->tracker, &error))
        log_info(NULL, "key ring and replica are loaded again");
    else
        log_error(NULL, "key ring and replica stay as they are", LOG_GERROR(error));
    if (running->tls_dir && load_certificates(running))
        log_info(NULL, "certificates are loaded again");
}

static gboolean listen_at_all(Running *running, const GArray *places, GError **error)
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

static void run(Running *running)
{
    struct pollfd signals = {.fd = service_signal_fd(running->service), .events = POLLIN};
    int number = 0;

    while (number != SIGTERM && number != SIGINT) {
        number = poll(&signals, 1, TICK_MS) > 0 ? service_read_signal(running->service) : 0;
        if (number == SIGHUP)
            reload(running);
        tracker_tick(running->tracker, running->httpd);
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

static HttpdOptions http_options(const Config *config, const Proxies *proxies)
{
    HttpdOptions options = httpd_defaults;

    options.head_max = HEAD_MAX;
    options.answer_head_max = ANSWER_HEAD_MAX;
    options.proxies = proxies;
    options.limits.connections = (guint)config_int(config, CONFIG_TRACKD_CONNECTIONS);
    options.limits.per_address = (guint)config_int(config, CONFIG_TRACKD_CONNECTIONS_PER_ADDRESS);
    return options;
}

static gboolean serve(Running *running, const GArray *places)
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
    httpd_stop(running->httpd, STOP_SECONDS);
    return listening;
}

int main(int argc, char **argv)
{
    static const ServiceInfo info = {
        .name = "outrider-trackd",
        .summary = "answers tracked links and pixels",
    };
    int status = EXIT_SUCCESS;
    g_autoptr(Service) service = service_start(&info, &argc, &argv, &status);
    g_autoptr(GError) error = NULL;

    if (!service)
        return status;
    /* What a burst of clicks gathers for the journal goes back to the system, and does not become heap. */
    mallopt(M_MMAP_THRESHOLD, LARGE_OCTETS);
    const Config *config = service_config(service);
    ProxiesField field = g_str_equal(config_string(config, CONFIG_TRACKD_PROXY_FIELD), "forwarded")
                             ? PROXIES_FORWARDED
                             : PROXIES_X_FORWARDED_FOR;
    g_autoptr(GArray) places = listen_at_read(config_string(config, CONFIG_TRACKD_LISTEN), &error);
    g_autoptr(Proxies) proxies =
        places ? proxies_read(config_string(config, CONFIG_TRACKD_PROXIES), field, &error) : NULL;
    g_autoptr(Tracker) tracker = proxies ? tracker_open(config, &error) : NULL;
    if (!tracker) {
        log_error(NULL, "cannot start", LOG_GERROR(error));
        return EX_UNAVAILABLE;
    }
    const HttpdOptions options = http_options(config, proxies);
    const HttpdSite site = tracker_site(tracker);
    Running running = {.service = service,
                       .tracker = tracker,
                       .httpd = httpd_new(&options, &site),
                       .tls_dir =
                           needs_tls(places) ? config_string(config, CONFIG_TRACKD_TLS_DIR) : NULL};
    return serve(&running, places) ? EXIT_SUCCESS : EX_UNAVAILABLE;
}
