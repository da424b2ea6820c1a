/* SPDX-License-Identifier: MIT */
/* outrider-apid(8): mail over HTTP. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "api/http_daemon.h"
#include "api/v1_call.h"
#include "lib/log/log.h"

#define EX_UNAVAILABLE  69
#define STOP_SECONDS    30
#define WORKERS         16
#define BODIES_AT_ONCE  4 /* of the largest size in memory */
#define BODY_SECONDS    120
#define READ_BODY_MAX   (64 * 1024) /* of a request that only reads */
#define ANSWERS_AT_ONCE 4           /* of the largest message in memory */

typedef struct {
    V1Desk *desk;
    gint64 written_at; /* monotonic, microseconds */
} Running;

static void answer_health(HttpdRequest *request, HttpdAnswer *answer, gpointer context)
{
    (void)request;
    (void)context;
    httpd_answer_text(answer, 200, "ok\n");
}

static void answer_ready(HttpdRequest *request, HttpdAnswer *answer, gpointer context)
{
    V1Desk *desk = context;
    g_autoptr(GError) error = NULL;

    (void)request;
    if (sender_is_ready(desk->sender, &error)) {
        httpd_answer_text(answer, 200, "ready\n");
        return;
    }
    log_warning(NULL, "not ready", LOG_GERROR(error));
    httpd_answer_text(answer, 503, "not ready\n");
}

static void answer_metrics(HttpdRequest *request, HttpdAnswer *answer, gpointer context)
{
    static const struct {
        const char *name, *help;
    } metrics[] = {
#define X(NAME, name, help) {name, help},
#include "api/apid_counter.def"
#undef X
    };
    V1Desk *desk = context;
    GString *text = g_string_new(NULL);

    (void)request;
    for (guint i = 0; i < G_N_ELEMENTS(metrics); i++)
        g_string_append_printf(text, "# HELP %s %s\n# TYPE %s counter\n%s %" G_GUINT64_FORMAT "\n",
                               metrics[i].name, metrics[i].help, metrics[i].name, metrics[i].name,
                               atomic_load(&desk->counters[i]));
    g_autoptr(GBytes) body = g_string_free_to_bytes(text);
    httpd_answer(answer, 200, "text/plain; version=0.0.4", body);
}

static void answer_message(HttpdRequest *request, HttpdAnswer *answer, gpointer context)
{
    v1_call(context, V1_SEND_MESSAGE, request, answer);
}

static void answer_raw(HttpdRequest *request, HttpdAnswer *answer, gpointer context)
{
    v1_call(context, V1_SEND_RAW, request, answer);
}

static void answer_read(HttpdRequest *request, HttpdAnswer *answer, gpointer context)
{
    v1_call(context, V1_READ_MESSAGE, request, answer);
}

static void answer_deliveries(HttpdRequest *request, HttpdAnswer *answer, gpointer context)
{
    v1_call(context, V1_READ_DELIVERIES, request, answer);
}

static void answer_nothing(HttpdRequest *request, HttpdAnswer *answer, gpointer context)
{
    (void)request;
    (void)context;
    httpd_answer_text(answer, 404, "not found\n");
}

/* body_max is set before the server starts. */
static HttpdRoute message_route = {.blocks = TRUE, .answer = answer_message};
static HttpdRoute raw_route = {.blocks = TRUE, .answer = answer_raw};

/* Who shows no key gets no body in. */
static const HttpdRoute *find_route(HttpdRequest *request, gpointer context)
{
    static const HttpdRoute health = {.answer = answer_health},
                            metrics = {.answer = answer_metrics};
    static const HttpdRoute ready = {.blocks = TRUE, .answer = answer_ready};
    static const HttpdRoute nothing = {.answer = answer_nothing};
    static const HttpdRoute bare_message = {.blocks = TRUE, .answer = answer_message};
    static const HttpdRoute bare_raw = {.blocks = TRUE, .answer = answer_raw};
    static const HttpdRoute read = {.body_max = READ_BODY_MAX,
                                    .aside = TRUE,
                                    .answer = answer_read},
                            bare_read = {.aside = TRUE, .answer = answer_read};
    static const HttpdRoute deliveries = {.body_max = READ_BODY_MAX,
                                          .aside = TRUE,
                                          .answer = answer_deliveries},
                            bare_deliveries = {.aside = TRUE, .answer = answer_deliveries};
    static const struct {
        const char *path;
        const HttpdRoute *route, *without_key;
        const char *methods; /* with blanks around each */
    } routes[] = {
        {"/api/v1/send/message", &message_route, &bare_message, " GET POST PUT PATCH "},
        {"/api/v1/send/raw", &raw_route, &bare_raw, " GET POST PUT PATCH "},
        {"/api/v1/messages/message", &read, &bare_read, " GET POST PUT PATCH "},
        {"/api/v1/messages/deliveries", &deliveries, &bare_deliveries, " GET POST PUT PATCH "},
        {"/health", &health, &health, " GET HEAD "},
        {"/ready", &ready, &ready, " GET HEAD "},
        {"/metrics", &metrics, &metrics, " GET HEAD "},
    };
    g_autofree char *method = g_strdup_printf(" %s ", request->method);

    (void)context;
    for (guint i = 0; i < G_N_ELEMENTS(routes); i++)
        if (g_str_equal(request->path, routes[i].path) && strstr(routes[i].methods, method))
            return v1_is_blank(httpd_field(request, V1_KEY_FIELD)) ? routes[i].without_key
                                                                   : routes[i].route;
    return &nothing;
}

/* Who they are decides nothing but a mark in what is told. */
static void load_visitors(V1Desk *desk)
{
    g_autoptr(GError) error = NULL;

    if (!history_desk_load(desk->history, &error))
        log_warning(NULL, "visitors stay as they are", LOG_GERROR(error));
}

static void reload(gpointer data)
{
    Running *running = data;
    g_autoptr(GError) error = NULL;

    if (sender_reload(running->desk->sender, &error))
        log_info(NULL, "key ring is loaded again");
    else
        log_error(NULL, "key ring stays as it is", LOG_GERROR(error));
    load_visitors(running->desk);
}

static void write_uses(V1Desk *desk)
{
    g_autoptr(GError) error = NULL;

    if (!use_count_write(desk->uses, sender_journal(desk->sender), &error))
        log_warning(NULL, "uses of credentials are not recorded", LOG_GERROR(error));
}

static void tick(Httpd *httpd, gpointer data)
{
    Running *running = data;
    gint64 now = g_get_monotonic_time();

    (void)httpd;
    if (now - running->written_at < USE_COUNT_SECONDS * G_USEC_PER_SEC)
        return;
    running->written_at = now;
    write_uses(running->desk);
}

static void desk_close(V1Desk *desk)
{
    if (desk->uses)
        write_uses(desk);
    g_clear_pointer(&desk->uses, use_count_free);
    g_clear_pointer(&desk->history, history_desk_free);
    g_clear_pointer(&desk->remembered, remembered_close);
    g_clear_pointer(&desk->sender, sender_close);
    g_clear_pointer(&desk->penalty, penalty_free);
    g_mutex_clear(&desk->penalty_mutex);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(V1Desk, desk_close)

static gboolean desk_open(V1Desk *desk, const Config *config, GError **error)
{
    g_autofree char *path = config_path(config, CONFIG_SPOOL_DIR, "apid/remembered.db");

    g_mutex_init(&desk->penalty_mutex);
    desk->penalty = penalty_new(config_int(config, CONFIG_AUTH_FAILURE_DELAY),
                                config_int(config, CONFIG_AUTH_FAILURE_DELAY_MAX),
                                config_int(config, CONFIG_AUTH_PENALTY_TIME));
    if (!(desk->sender = sender_open(config, error)) ||
        !(desk->remembered = remembered_open(path, error)))
        return FALSE;
    desk->history = history_desk_new(config);
    load_visitors(desk);
    desk->uses = use_count_new((guint)config_int(config, CONFIG_NODE_ID));
    return TRUE;
}

int main(int argc, char **argv)
{
    static const ServiceInfo info = {
        .name = "outrider-apid",
        .summary = "takes mail over HTTP and tells what became of it, as Postal's API v1"};
    int status = EXIT_SUCCESS;
    g_autoptr(Service) service = service_start(&info, &argc, &argv, &status);
    g_autoptr(GError) error = NULL;
    g_auto(V1Desk) desk = {0};

    if (!service)
        return status;
    const Config *config = service_config(service);
    if (!desk_open(&desk, config, &error)) {
        log_error(NULL, "cannot start", LOG_GERROR(error));
        return EX_UNAVAILABLE;
    }
    message_route.body_max = raw_route.body_max = (guint64)config_int(config, CONFIG_APID_BODY_MAX);
    Running running = {.desk = &desk, .written_at = g_get_monotonic_time()};
    HttpDaemon daemon = {.listen = CONFIG_APID_LISTEN,
                         .proxies = CONFIG_APID_PROXIES,
                         .proxy_field = CONFIG_APID_PROXY_FIELD,
                         .tls_dir = CONFIG_APID_TLS_DIR,
                         .connections = CONFIG_APID_CONNECTIONS,
                         .per_address = CONFIG_APID_CONNECTIONS_PER_ADDRESS,
                         .http = httpd_defaults,
                         .site = {.route = find_route, .context = &desk},
                         .stop_seconds = STOP_SECONDS,
                         .reload = reload,
                         .tick = tick,
                         .data = &running};
    daemon.http.workers = WORKERS;
    daemon.http.aside_workers = HISTORY_DESK_LINKS;
    daemon.http.answers_max =
        ANSWERS_AT_ONCE * (guint64)config_int(config, CONFIG_MESSAGE_SIZE_MAX);
    daemon.http.bodies_max = BODIES_AT_ONCE * message_route.body_max;
    daemon.http.limits.body_seconds = BODY_SECONDS;
    return http_daemon_run(service, &daemon);
}
