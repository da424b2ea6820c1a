/* SPDX-License-Identifier: MIT */
/* outrider-trackd: tracked links and pixels, for everybody. */
#include <stdlib.h>
#include <sysexits.h>

#include "api/http_daemon.h"
#include "api/tracker.h"
#include "lib/log/log.h"

#define STOP_SECONDS    5
#define HEAD_MAX        (16 * 1024)
#define ANSWER_HEAD_MAX (8 * 1024) /* a URL of 2,000 octets, each percent-encoded, and the rest */

static void reload(gpointer data)
{
    g_autoptr(GError) error = NULL;

    if (tracker_reload(data, &error))
        log_info(NULL, "key ring and replica are loaded again");
    else
        log_error(NULL, "key ring and replica stay as they are", LOG_GERROR(error));
}

static void tick(Httpd *httpd, gpointer data)
{
    tracker_tick(data, httpd);
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
    g_autoptr(Tracker) tracker = tracker_open(service_config(service), &error);
    if (!tracker) {
        log_error(NULL, "cannot start", LOG_GERROR(error));
        return EX_UNAVAILABLE;
    }
    HttpDaemon daemon = {.listen = CONFIG_TRACKD_LISTEN,
                         .proxies = CONFIG_TRACKD_PROXIES,
                         .proxy_field = CONFIG_TRACKD_PROXY_FIELD,
                         .tls_dir = CONFIG_TRACKD_TLS_DIR,
                         .connections = CONFIG_TRACKD_CONNECTIONS,
                         .per_address = CONFIG_TRACKD_CONNECTIONS_PER_ADDRESS,
                         .http = httpd_defaults,
                         .site = tracker_site(tracker),
                         .stop_seconds = STOP_SECONDS,
                         .reload = reload,
                         .tick = tick,
                         .data = tracker};
    daemon.http.head_max = HEAD_MAX;
    daemon.http.answer_head_max = ANSWER_HEAD_MAX;
    return http_daemon_run(service, &daemon);
}
