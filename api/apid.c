/* SPDX-License-Identifier: MIT */
/* outrider-apid(8): mail over HTTP, and managing. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "api/http_daemon.h"
#include "api/v1_call.h"
#include "api/v1_request.h"
#include "api/v2_call.h"
#include "api/v2_error.h"
#include "api/v2_openapi.h"
#include "lib/log/log.h"

#define STOP_SECONDS    30
#define WORKERS         16
#define BODIES_AT_ONCE  4 /* of the largest size in memory */
#define BODY_SECONDS    120
#define READ_BODY_MAX   (64 * 1024) /* of a request that only reads */
#define MANAGERS        G_MAXUINT   /* no server's number */
#define STRANGERS       (MANAGERS - 1)
#define WATCHERS        (MANAGERS - 2) /* who asks whether it is ready */
#define ANSWERS_AT_ONCE 8 /* of the largest message in memory, half of them for one server */

/* Pools of workers for what waits for the database: those who manage may wait long for one another, those who read do not. */
enum { ASIDE_READ = 1, ASIDE_MANAGE = 2 };
G_STATIC_ASSERT(ASIDE_MANAGE <= HTTPD_ASIDE);

typedef struct {
    V1Desk *desk;
    V2Desk *manage;
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
    V1Desk *desk = ((Running *)context)->desk;
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
    V1Desk *desk = ((Running *)context)->desk;
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
    v1_call(((Running *)context)->desk, V1_SEND_MESSAGE, request, answer);
}

static void answer_raw(HttpdRequest *request, HttpdAnswer *answer, gpointer context)
{
    v1_call(((Running *)context)->desk, V1_SEND_RAW, request, answer);
}

static void answer_read(HttpdRequest *request, HttpdAnswer *answer, gpointer context)
{
    v1_call(((Running *)context)->desk, V1_READ_MESSAGE, request, answer);
}

static void answer_deliveries(HttpdRequest *request, HttpdAnswer *answer, gpointer context)
{
    v1_call(((Running *)context)->desk, V1_READ_DELIVERIES, request, answer);
}

static void answer_manage(HttpdRequest *request, HttpdAnswer *answer, gpointer context)
{
    static const ApidCounter counters[] = {
        [V2_DONE] = APID_COUNTER_MANAGED,
        [V2_REFUSED] = APID_COUNTER_REFUSED,
        [V2_STRANGER] = APID_COUNTER_UNAUTHENTICATED,
        [V2_AWAY] = APID_COUNTER_UNAVAILABLE,
    };
    Running *running = context;

    V2Outcome outcome = v2_call(running->manage, request, answer);
    atomic_fetch_add(&running->desk->counters[counters[outcome]], 1);
}

static void answer_nothing(HttpdRequest *request, HttpdAnswer *answer, gpointer context)
{
    (void)request;
    (void)context;
    httpd_answer_text(answer, 404, "not found\n");
}

static void answer_no_body(HttpdRequest *request, HttpdAnswer *answer, gpointer context)
{
    v1_call(((Running *)context)->desk, V1_NO_BODY, request, answer);
}

static gboolean read_over(HttpdRequest *request, const char *octets, gsize length, gpointer context)
{
    (void)request;
    (void)octets;
    (void)length;
    (void)context;
    return TRUE;
}

static void free_state(HttpdRequest *request, gpointer context)
{
    (void)context;
    g_clear_pointer(&request->state, g_free);
}

/* body_max is set before the server starts. */
static HttpdRoute message_route = {
    .blocks = TRUE, .answer = answer_message, .refused = v1_refused, .release = free_state};
static HttpdRoute raw_route = {
    .blocks = TRUE, .answer = answer_raw, .refused = v1_refused, .release = free_state};
static HttpdRoute stranger_route = {.blocks = TRUE,
                                    .take = read_over,
                                    .answer = answer_no_body,
                                    .refused = v1_refused,
                                    .release = free_state};
static HttpdRoute keyless_route = {
    .take = read_over, .answer = answer_no_body, .refused = v1_refused, .release = free_state};

/* Only whose key is good gets a body into memory. Who shows another one, or none, is to see what was wrong, after whatever he sends. */
static const HttpdRoute *find_api_route(HttpdRequest *request, const HttpdRoute *route,
                                        V1Desk *desk)
{
    if (v1_is_blank(httpd_field(request, V1_KEY_FIELD)))
        return &keyless_route;
    request->holder = v1_holder(desk, request);
    if (request->holder > 0)
        return route;
    request->holder = STRANGERS;
    return &stranger_route;
}

/* Whose a token is only the database knows. So all who manage have half of the room at most together. */
static const HttpdRoute *find_manage_route(HttpdRequest *request)
{
    static const HttpdRoute at_once = {
        .answer = answer_manage, .refused = v2_answer_refused, .release = free_state};
    static const HttpdRoute no_body = {.aside = ASIDE_MANAGE,
                                       .answer = answer_manage,
                                       .refused = v2_answer_refused,
                                       .release = free_state};
    static const HttpdRoute body = {.body_max = V2_BODY_MAX,
                                    .aside = ASIDE_MANAGE,
                                    .answer = answer_manage,
                                    .refused = v2_answer_refused,
                                    .release = free_state};

    request->holder = MANAGERS;
    switch (v2_kind(request)) {
    case V2_BODY:
        return &body;
    case V2_NO_BODY:
        return &no_body;
    default:
        return &at_once;
    }
}

static const HttpdRoute *find_route(HttpdRequest *request, gpointer context)
{
    static const HttpdRoute health = {.answer = answer_health},
                            metrics = {.answer = answer_metrics};
    static const HttpdRoute ready = {.blocks = TRUE, .answer = answer_ready};
    static const HttpdRoute nothing = {.answer = answer_nothing};
    static const HttpdRoute read = {.body_max = READ_BODY_MAX,
                                    .aside = ASIDE_READ,
                                    .answer = answer_read,
                                    .refused = v1_refused,
                                    .release = free_state};
    static const HttpdRoute deliveries = {.body_max = READ_BODY_MAX,
                                          .aside = ASIDE_READ,
                                          .answer = answer_deliveries,
                                          .refused = v1_refused,
                                          .release = free_state};
    static const struct {
        const char *path;
        const HttpdRoute *route;
        gboolean needs_key;
        guint holder;        /* of a request without one */
        const char *methods; /* with blanks around each */
    } routes[] = {
        {"/api/v1/send/message", &message_route, TRUE, 0, " GET POST PUT PATCH "},
        {"/api/v1/send/raw", &raw_route, TRUE, 0, " GET POST PUT PATCH "},
        {"/api/v1/messages/message", &read, TRUE, 0, " GET POST PUT PATCH "},
        {"/api/v1/messages/deliveries", &deliveries, TRUE, 0, " GET POST PUT PATCH "},
        {"/health", &health, FALSE, 0, " GET HEAD "},
        {"/ready", &ready, FALSE, WATCHERS, " GET HEAD "},
        {"/metrics", &metrics, FALSE, 0, " GET HEAD "},
    };
    g_autofree char *method = g_strdup_printf(" %s ", request->method);

    if (v2_is_path(request->path))
        return find_manage_route(request);
    for (guint i = 0; i < G_N_ELEMENTS(routes); i++)
        if (v1_request_is_for(request->path, routes[i].path) && strstr(routes[i].methods, method)) {
            request->holder = routes[i].holder;
            return routes[i].needs_key
                       ? find_api_route(request, routes[i].route, ((Running *)context)->desk)
                       : routes[i].route;
        }
    return &nothing;
}

/* A line for each, however many: the site has no limit. Keys, bodies and queries are no matter of the log. */
static void log_answer(const HttpdRequest *request, guint status, guint64 octets, gint64 us,
                       gpointer context)
{
    (void)context;
    if (!log_enabled(LOG_LEVEL_INFO))
        return;
    log_emit(NULL, LOG_LEVEL_INFO, NULL, "answered",
             (const LogField[]){LOG_TEXT("client", request->client),
                                LOG_TEXT("method", request->method),
                                LOG_TEXT("path", request->path),
                                LOG_INT("status", status),
                                LOG_INT("in", request->came),
                                LOG_INT("out", octets),
                                LOG_INT("ms", us / 1000),
                                LOG_TEXT("credential", request->state),
                                {.key = NULL}});
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

static void count_connections(V1Desk *desk, Httpd *httpd)
{
    ConnectionCounts counts;

    httpd_count(httpd, &counts);
    atomic_store(&desk->counters[APID_COUNTER_ACCEPTED], counts.accepted);
    atomic_store(&desk->counters[APID_COUNTER_TURNED_AWAY], counts.turned_away);
    atomic_store(&desk->counters[APID_COUNTER_CUT], counts.cut);
}

static void tick(Httpd *httpd, gpointer data)
{
    Running *running = data;
    gint64 now = g_get_monotonic_time();

    count_connections(running->desk, httpd);
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
    g_clear_pointer(&desk->throttle, throttle_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(V1Desk, desk_close)

static gboolean desk_open(V1Desk *desk, const Config *config, GError **error)
{
    g_autofree char *path = config_path(config, CONFIG_SPOOL_DIR, "apid/remembered.db");

    desk->throttle = throttle_new(config);
    if (!(desk->sender = sender_open(config, journal_program_name(JOURNAL_OF_APID), error)) ||
        !(desk->remembered = remembered_open(path, error)))
        return FALSE;
    desk->history = history_desk_new(config);
    load_visitors(desk);
    desk->uses = use_count_new((guint)config_int(config, CONFIG_NODE_ID));
    return TRUE;
}

/* Who says two of them leaves open which counts, for us and for what is in front of us. */
static const char *const single_fields[] = {V1_KEY_FIELD, V1_REPEAT_FIELD, V2_TOKEN_FIELD, NULL};

static gboolean openapi;

static const GOptionEntry options[] = {{"openapi", 0, 0, G_OPTION_ARG_NONE, &openapi,
                                        "Print what API v2 is, as OpenAPI, and exit", NULL},
                                       {NULL}};

static gboolean print_openapi(void)
{
    if (openapi)
        puts(v2_openapi());
    return openapi;
}

int main(int argc, char **argv)
{
    static const ServiceInfo info = {.name = "outrider-apid",
                                     .summary = "takes mail over HTTP and tells what became of it, "
                                                "as Postal's API v1, and manages (API v2)",
                                     .options = options,
                                     .only = print_openapi};
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
    message_route.body_max = raw_route.body_max = stranger_route.body_max = keyless_route.body_max =
        (guint64)config_int(config, CONFIG_APID_BODY_MAX);
    g_autoptr(V2Desk) manage = v2_desk_new(config, desk.throttle);
    Running running = {.desk = &desk, .manage = manage, .written_at = g_get_monotonic_time()};
    HttpDaemon daemon = {
        .listen = CONFIG_APID_LISTEN,
        .proxies = CONFIG_APID_PROXIES,
        .proxy_field = CONFIG_APID_PROXY_FIELD,
        .tls_dir = CONFIG_APID_TLS_DIR,
        .connections = CONFIG_APID_CONNECTIONS,
        .per_address = CONFIG_APID_CONNECTIONS_PER_ADDRESS,
        .http = httpd_defaults,
        .site = {.route = find_route,
                 .single = single_fields,
                 .log = config_bool(config, CONFIG_APID_ACCESS_LOG) ? log_answer : NULL,
                 .context = &running},
        .stop_seconds = STOP_SECONDS,
        .reload = reload,
        .tick = tick,
        .data = &running};
    daemon.http.workers = WORKERS;
    daemon.http.aside_workers[ASIDE_READ - 1] = HISTORY_DESK_WORKERS;
    daemon.http.aside_workers[ASIDE_MANAGE - 1] = V2_DESK_WORKERS;
    daemon.http.answers_max =
        ANSWERS_AT_ONCE * (guint64)config_int(config, CONFIG_MESSAGE_SIZE_MAX);
    daemon.http.bodies_max = BODIES_AT_ONCE * message_route.body_max;
    daemon.http.limits.body_seconds = BODY_SECONDS;
    return http_daemon_run(service, &daemon);
}
