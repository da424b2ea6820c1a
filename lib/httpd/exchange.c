/* SPDX-License-Identifier: MIT */
#include "lib/httpd/exchange.h"

#include <string.h>

#include "lib/httpd/target.h"

#define LINE_END        "\r\n"
#define READS_LENIENTLY (MHD_VERSION < 0x00097700)

typedef struct {
    HttpdRequest request; /* first: a route has a pointer to it */
    HttpdAnswer answer;
    const HttpdRoute *route; /* NULL: refused before one was chosen */
    struct MHD_Connection *connection;
    Connection *peer;
    char *target, *host, *client;
    gsize target_length; /* as it came */
    gint64 began_us;
    guint64 dropped, octets;
    guint64 answering; /* of Httpd.answers */
    guint status;      /* that was sent; 0: none yet */
    gboolean has_target, has_head, answered;
    gboolean drop;    /* what still comes of the body */
    gboolean closing; /* the connection ends with the answer */
} Exchange;

/* What the fields of a head say of it, beside their values. */
typedef struct {
    guint hosts, lengths, codings;
    gboolean wrong;   /* others may read it otherwise */
    const char *next; /* where the next line begins */
    const char *host, *length, *coding;
    const char *forwarded_name;
    GString *forwarded; /* all values; NULL: none */
    const char *const *single;
    guint32 seen; /* of these */
} Head;

static const struct {
    guint status;
    const char *text;
} refusals[] = {
    {400, "Bad Request\n"},
    {413, "Content Too Large\n"},
    {431, "Request Header Fields Too Large\n"},
    {500, "Internal Server Error\n"},
    {501, "Not Implemented\n"},
    {503, "Service Unavailable\n"},
};

static void refuse(Exchange *exchange, guint status)
{
    for (guint i = 0; i < G_N_ELEMENTS(refusals); i++)
        if (refusals[i].status == status)
            httpd_answer_text(&exchange->answer, status, refusals[i].text);
    if (exchange->route && exchange->route->refused)
        exchange->route->refused(status, &exchange->answer);
    exchange->answered = TRUE;
}

const char *httpd_field(const HttpdRequest *request, const char *name)
{
    return MHD_lookup_connection_value(((const Exchange *)request)->connection, MHD_HEADER_KIND,
                                       name);
}

Connection *exchange_peer(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

void *exchange_line(void *cls, const char *target, struct MHD_Connection *connection)
{
    Exchange *exchange = g_new0(Exchange, 1);
    Target parts;

    (void)cls;
    exchange->connection = connection;
    exchange->peer = exchange_peer(connection);
    exchange->began_us = g_get_monotonic_time();
    exchange->request = (HttpdRequest){.method = "", .path = "", .host = "", .client = ""};
    exchange->target = g_strdup(target ? target : "");
    exchange->target_length = strlen(exchange->target);
    exchange->has_target = target_read(exchange->target, &parts);
    if (exchange->has_target) {
        exchange->request.path = parts.path;
        exchange->request.query = parts.query;
        exchange->host = parts.authority ? target_host(parts.authority) : NULL;
        exchange->has_target = exchange->host || !parts.authority;
    }
    connection_enter(exchange->peer, CONNECTION_HEAD, 0);
    return exchange;
}

/* Versions before 0.9.77 take for one field what continues another, end the head at a field without name, and let lines end
 * with a bare LF: where another program sees another end, a body becomes a request. They leave names and values where they came
 * in. So fields that follow one another without a gap, each in a line of its own, are all that a good head has. */
static void follow(Head *head, const char *name, const char *value)
{
    const char *end = name + strlen(name) + 1;

    if (!READS_LENIENTLY || head->wrong)
        return;
    head->wrong = name != head->next || !value;
    while (!head->wrong && (*end == ' ' || *end == '\t'))
        end++;
    head->wrong |= end != value;
    head->next = head->wrong ? NULL : value + strlen(value) + strlen(LINE_END);
}

/* Whether a field that may come once only has come before. */
static gboolean comes_again(Head *head, const char *name)
{
    for (guint i = 0; head->single && head->single[i]; i++)
        if (g_ascii_strcasecmp(name, head->single[i]) == 0) {
            gboolean again = head->seen & 1U << i;
            head->seen |= 1U << i;
            return again;
        }
    return FALSE;
}

static enum MHD_Result on_field(void *cls, enum MHD_ValueKind kind, const char *name,
                                const char *value)
{
    Head *head = cls;

    (void)kind;
    follow(head, name, value);
    head->wrong |= !answer_name_is_good(name);
    value = value ? value : "";
    head->wrong |= !answer_value_is_good(value) || comes_again(head, name);
    if (g_ascii_strcasecmp(name, MHD_HTTP_HEADER_HOST) == 0) {
        head->hosts++;
        head->host = value;
    } else if (g_ascii_strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0) {
        head->lengths++;
        head->length = value;
    } else if (g_ascii_strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0) {
        head->codings++;
        head->coding = value;
    } else if (head->forwarded_name && g_ascii_strcasecmp(name, head->forwarded_name) == 0) {
        if (!head->forwarded)
            head->forwarded = g_string_new(NULL);
        g_string_append_printf(head->forwarded, "%s%s", head->forwarded->len ? "," : "", value);
    }
    return MHD_YES;
}

/* The host: of an absolute target, else of the Host field. FALSE: there are two, or it is none. */
static gboolean read_host(Exchange *exchange, const Head *head)
{
    if (head->hosts > 1)
        return FALSE;
    if (!exchange->host && head->hosts == 1 && *head->host) {
        exchange->host = target_host(head->host);
        if (!exchange->host)
            return FALSE;
    }
    exchange->request.host = exchange->host ? exchange->host : "";
    return TRUE;
}

/* 0, or the status for what the head says. */
static guint read_head(Httpd *httpd, Exchange *exchange, const char *version, Head *head)
{
    HttpdRequest *request = &exchange->request;
    const char *line = request->method;

    head->next =
        line + strlen(line) + 1 + exchange->target_length + 1 + strlen(version) + strlen(LINE_END);
    if (exchange->peer->trusted)
        head->forwarded_name = proxies_field(httpd->options.proxies);
    MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, on_field, head);
    exchange->client = proxies_client(httpd->options.proxies, exchange->peer->peer,
                                      head->forwarded ? head->forwarded->str : NULL);
    request->client = exchange->client;
    request->secure = exchange->peer->secure;
    const union MHD_ConnectionInfo *size =
        MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    if (!size || size->header_size > httpd->options.head_max)
        return 431;
    if (READS_LENIENTLY && !head->wrong)
        head->wrong = head->next + strlen(LINE_END) != line + size->header_size;
    if (!exchange->has_target || head->wrong || !read_host(exchange, head))
        return 400;
    if (head->codings > 0 && g_ascii_strcasecmp(head->coding, "chunked") != 0)
        return 501;
    if (head->codings > 1 || head->lengths > 1 || (head->codings > 0 && head->lengths > 0) ||
        (head->codings > 0 && g_str_equal(version, MHD_HTTP_VERSION_1_0)))
        return 400;
    /* The library has refused what is no number. */
    request->length = head->length ? g_ascii_strtoull(head->length, NULL, 10) : 0;
    return 0;
}

/* The status for a body that finds no room; slow ones are to make some. */
static guint no_room(Httpd *httpd)
{
    connections_press_bodies(httpd->connections);
    return 503;
}

/* Its room is for others again. */
static void drop_body(Httpd *httpd, Exchange *exchange)
{
    guint64 octets = exchange->request.body ? exchange->request.body->len : 0;

    g_clear_pointer(&exchange->request.body, g_byte_array_unref);
    room_give(&httpd->bodies, exchange->request.holder, octets);
}

static guint admit_body(Httpd *httpd, Exchange *exchange, gboolean coming)
{
    const HttpdRoute *route = exchange->route;
    guint64 length = exchange->request.length;

    if (route->body_max == 0) {
        exchange->drop = TRUE;
        return length > EXCHANGE_DROP_MAX ? 413 : 0;
    }
    if (length > route->body_max)
        return 413;
    if (route->take || !coming)
        return 0;
    /* What is only announced takes none: who never sends it would keep others out for nothing. */
    if (!room_has(&httpd->bodies, exchange->request.holder, length))
        return no_room(httpd);
    exchange->request.body = g_byte_array_sized_new((guint)MIN(length, G_MAXUINT16));
    return 0;
}

/* The first call: all but the body is there. */
static void begin(Httpd *httpd, Exchange *exchange, const char *method, const char *version)
{
    Head head = {.single = httpd->site.single};

    exchange->has_head = TRUE;
    exchange->request.method = method;
    guint status = read_head(httpd, exchange, version, &head);
    gboolean coming = head.codings > 0 || exchange->request.length > 0;
    if (head.forwarded)
        g_string_free(head.forwarded, TRUE);
    if (status == 0) {
        exchange->route = httpd->site.route(&exchange->request, httpd->site.context);
        status = admit_body(httpd, exchange, coming);
    }
    if (status > 0)
        refuse(exchange, status);
    if (coming)
        connection_enter(exchange->peer, CONNECTION_BODY, 0);
}

static void gather(Httpd *httpd, Exchange *exchange, const char *data, gsize length)
{
    if (room_take(&httpd->bodies, exchange->request.holder, length)) {
        g_byte_array_append(exchange->request.body, (const guint8 *)data, (guint)length);
        return;
    }
    refuse(exchange, no_room(httpd));
    drop_body(httpd, exchange);
}

/* A piece of the body. FALSE: too much comes of what nobody wants. */
static gboolean take(Httpd *httpd, Exchange *exchange, const char *data, gsize length)
{
    exchange->request.came += length;
    connection_moved(exchange->peer, length);
    if (exchange->answered || exchange->drop) {
        exchange->dropped += length;
        return exchange->dropped <= EXCHANGE_DROP_MAX;
    }
    if (exchange->request.came > exchange->route->body_max)
        refuse(exchange, 413);
    else if (!exchange->route->take)
        gather(httpd, exchange, data, length);
    else
        exchange->drop =
            !exchange->route->take(&exchange->request, data, length, httpd->site.context);
    return TRUE;
}

static void ask_route(Httpd *httpd, Exchange *exchange)
{
    exchange->route->answer(&exchange->request, &exchange->answer, httpd->site.context);
    if (exchange->answer.status == 0)
        refuse(exchange, 500);
    exchange->answered = TRUE;
}

static Crew *crew_of(Httpd *httpd, const Exchange *exchange)
{
    return &httpd->crews[exchange->route->aside];
}

/* FALSE: too many wait for a worker, or nobody begins anything any more. */
static gboolean hand_to_crew(Httpd *httpd, Exchange *exchange)
{
    Crew *crew = crew_of(httpd, exchange);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&httpd->mutex);

    if (httpd->stopped || !room_take(&crew->waiting, exchange->request.holder, 1))
        return FALSE;
    MHD_suspend_connection(exchange->connection);
    g_thread_pool_push(crew->threads, exchange, NULL);
    return TRUE;
}

void exchange_work(gpointer data, gpointer cls)
{
    Exchange *exchange = data;
    Httpd *httpd = cls;

    room_give(&crew_of(httpd, exchange)->waiting, exchange->request.holder, 1);
    g_mutex_lock(&httpd->mutex);
    gboolean stopped = httpd->stopped;
    g_mutex_unlock(&httpd->mutex);
    if (stopped)
        refuse(exchange, 503);
    else
        ask_route(httpd, exchange);
    MHD_resume_connection(exchange->connection);
}

/* Who takes an answer slowly must not fill the memory with others of that kind. */
static void reserve_answer(Httpd *httpd, Exchange *exchange)
{
    guint64 octets = g_bytes_get_size(exchange->answer.body);

    if (octets <= EXCHANGE_SMALL)
        return;
    if (room_take(&httpd->answers, exchange->request.holder, octets))
        exchange->answering = octets;
    else
        refuse(exchange, 503);
}

static enum MHD_Result send_answer(Httpd *httpd, Exchange *exchange)
{
    reserve_answer(httpd, exchange);
    exchange->octets = g_bytes_get_size(exchange->answer.body);
    exchange->status = exchange->answer.status;
    struct MHD_Response *response = answer_response(
        &exchange->answer, exchange->closing || connections_ending(httpd->connections));
    if (!response)
        return MHD_NO;
    drop_body(httpd, exchange);
    connection_enter(exchange->peer, CONNECTION_ANSWER, exchange->octets);
    enum MHD_Result result = MHD_queue_response(exchange->connection, exchange->status, response);
    MHD_destroy_response(response);
    return result;
}

/* Everything is there, or enough: the answer, now or from a worker. */
static enum MHD_Result finish(Httpd *httpd, Exchange *exchange)
{
    connection_enter(exchange->peer, CONNECTION_WORK, 0);
    if (!exchange->answered && (exchange->route->blocks || exchange->route->aside)) {
        if (hand_to_crew(httpd, exchange))
            return MHD_YES;
        refuse(exchange, 503);
    }
    if (!exchange->answered)
        ask_route(httpd, exchange);
    return send_answer(httpd, exchange);
}

/* A small body of a request that is refused is read, for who sends it may not look before; but who asks whether to send it
 * is told. */
static gboolean may_be_dropped(const HttpdRequest *request)
{
    return request->length > 0 && request->length <= EXCHANGE_DROP_MAX &&
           !httpd_field(request, MHD_HTTP_HEADER_EXPECT);
}

enum MHD_Result exchange_step(void *cls, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *size, void **state)
{
    Httpd *httpd = cls;
    Exchange *exchange = *state;

    (void)connection;
    (void)url;
    if (!exchange->has_head) {
        begin(httpd, exchange, method, version);
        if (!exchange->answered || may_be_dropped(&exchange->request))
            return MHD_YES;
        /* Not read to its end: what follows on this connection would be no request. */
        exchange->closing = TRUE;
        return send_answer(httpd, exchange);
    }
    if (*size > 0) {
        gsize length = *size;
        *size = 0;
        return take(httpd, exchange, data, length) ? MHD_YES : MHD_NO;
    }
    return finish(httpd, exchange);
}

void exchange_over(void *cls, struct MHD_Connection *connection, void **state,
                   enum MHD_RequestTerminationCode code)
{
    Httpd *httpd = cls;
    Exchange *exchange = *state;

    (void)connection;
    (void)code;
    if (!exchange)
        return;
    if (httpd->site.log)
        httpd->site.log(&exchange->request, exchange->status, exchange->octets,
                        g_get_monotonic_time() - exchange->began_us, httpd->site.context);
    if (exchange->route && exchange->route->release)
        exchange->route->release(&exchange->request, httpd->site.context);
    connection_enter(exchange->peer, CONNECTION_IDLE, 0);
    drop_body(httpd, exchange);
    room_give(&httpd->answers, exchange->request.holder, exchange->answering);
    answer_clear(&exchange->answer);
    g_free(exchange->target);
    g_free(exchange->host);
    g_free(exchange->client);
    g_free(exchange);
    *state = NULL;
}
