/* SPDX-License-Identifier: MIT */
/*
 * Dovecot auth protocol. The greeting fails for nothing: a smtpd(8) that does not get it dies
 * and takes its listener along. It does not offer CRAM-MD5 where no credential has it: most clients would try
 * that first, and some nothing else. An smtpd asks once in its life. Trouble closes the connection, as
 * Postfix says 454 to nothing else.
 */
#include <sys/random.h>
#include <unistd.h>

#include "lib/base/network.h"
#include "lib/log/log.h"
#include "policyd/decide.h"
#include "policyd/edges.h"

#define CRAM_LOOK_US (10 * G_TIME_SPAN_SECOND)

typedef struct {
    Policyd *policyd;
    Connection *connection;
    GHashTable *requests; /* of Request, by id */
} Client;

typedef struct {
    Client *client;
    guint32 id;
    char *remote; /* address */
    char *source;
    SaslExchange exchange;
    struct event *timer; /* set: refused, the answer waits */
} Request;

static void request_free(gpointer data)
{
    Request *request = data;

    if (request->timer) {
        event_free(request->timer);
        request->client->policyd->delayed--;
    }
    sasl_clear(&request->exchange);
    g_free(request->remote);
    g_free(request->source);
    g_free(request);
}

static void random_hex(char *text, gsize digits)
{
    static const char hex[] = "0123456789abcdef";
    guint8 octets[32];

    g_assert(digits <= sizeof(octets));
    if (getrandom(octets, digits, 0) != (gssize)digits)
        g_error("no random octets from the kernel");
    for (gsize i = 0; i < digits; i++)
        text[i] = hex[octets[i] & 15];
    text[digits] = '\0';
}

/* Whether CRAM-MD5 is offered; as before while nobody can tell. */
static gboolean offers_cram(Policyd *policyd)
{
    gint64 now = g_get_monotonic_time();

    if (now >= policyd->cram_due && edge_cram_used(policyd->edge, &policyd->cram, NULL))
        policyd->cram_due = now + CRAM_LOOK_US;
    return policyd->cram;
}

static gpointer auth_open(Connection *connection, gpointer context, GString *out)
{
    Client *client = g_new0(Client, 1);
    char cookie[33];

    client->policyd = context;
    client->connection = connection;
    client->requests = g_hash_table_new_full(NULL, NULL, NULL, request_free);
    random_hex(cookie, 32);
    auth_greeting(out, (guint32)getpid(), ++client->policyd->connections, cookie,
                  offers_cram(client->policyd));
    return client;
}

static void auth_closed(gpointer state)
{
    Client *client = state;

    g_hash_table_unref(client->requests);
    g_free(client);
}

static void forget(Request *request)
{
    g_hash_table_remove(request->client->requests, GUINT_TO_POINTER(request->id));
}

static void on_delay(evutil_socket_t fd, short what, void *data)
{
    Request *request = data;
    g_autoptr(GString) out = g_string_new(NULL);

    (void)fd;
    (void)what;
    auth_fail(out, request->id);
    connection_send(request->client->connection, out);
    forget(request);
}

/* All refusals of a guess look the same. FALSE: too many wait. */
static gboolean refuse(Request *request, const char *reason)
{
    Policyd *policyd = request->client->policyd;
    const char *mechanism = sasl_name(request->exchange.mechanism);
    gint64 delay = penalty_fail(policyd->penalty, request->source, g_get_monotonic_time() / 1000);
    struct timeval wait = {.tv_sec = delay / 1000, .tv_usec = delay % 1000 * 1000};

    log_info(NULL, "authentication refused", LOG_TEXT("source", request->source),
             LOG_TEXT("mechanism", mechanism), LOG_TEXT("reason", reason), LOG_INT("delay", delay));
    tally_failed(policyd->tally, request->source, mechanism, request->exchange.username, reason);
    if (policyd->delayed >= EDGES_DELAYED_MAX)
        return FALSE;
    request->timer = evtimer_new(policyd->base, on_delay, request);
    policyd->delayed++;
    return evtimer_add(request->timer, &wait) == 0;
}

/* Refuses at once, and counts nothing: the client is to try the next mechanism. */
static gboolean pass_over(Request *request, const char *reason, GString *out)
{
    log_info(NULL, "authentication passed over", LOG_TEXT("source", request->source),
             LOG_TEXT("mechanism", sasl_name(request->exchange.mechanism)),
             LOG_TEXT("reason", reason));
    auth_fail(out, request->id);
    forget(request);
    return TRUE;
}

static gboolean finish(Request *request, GString *out)
{
    Policyd *policyd = request->client->policyd;
    const char *reason = NULL;
    gboolean guess;
    g_autoptr(GError) error = NULL;
    g_autoptr(EdgeCredential) credential =
        decide_auth(policyd->edge, &request->exchange, request->remote,
                    g_get_real_time() / G_USEC_PER_SEC, &reason, &guess, &error);

    if (error) {
        log_warning(NULL, "authentication not possible, connection closed", LOG_GERROR(error));
        return FALSE;
    }
    if (!credential)
        return guess ? refuse(request, reason) : pass_over(request, reason, out);
    g_autofree char *user = g_strdup_printf("%s/%s/%u", credential->organization_permalink,
                                            credential->server_permalink, credential->id);
    log_debug(NULL, "authenticated", LOG_TEXT("user", user));
    tally_used(policyd->tally, credential);
    auth_ok(out, request->id, user);
    forget(request);
    return TRUE;
}

static gboolean step(Request *request, const char *response, GString *out)
{
    g_autofree char *prompt = NULL;

    switch (sasl_step(&request->exchange, response, &prompt)) {
    case SASL_MORE:
        auth_continue(out, request->id, prompt);
        return TRUE;
    case SASL_DONE:
        return finish(request, out);
    case SASL_FAILED:
    default:
        return refuse(request, "malformed");
    }
}

static gboolean begin(Client *client, const AuthLine *line, GString *out)
{
    char nonce[21];

    if (g_hash_table_contains(client->requests, GUINT_TO_POINTER(line->id)) ||
        g_hash_table_size(client->requests) >= EDGES_EXCHANGES_MAX)
        return FALSE;
    random_hex(nonce, 20);
    g_autofree char *challenge = g_strdup_printf("<%s@%s>", nonce, client->policyd->hostname);
    Request *request = g_new0(Request, 1);
    request->client = client;
    request->id = line->id;
    request->remote = g_strdup(line->remote);
    request->source = network_client(line->remote);
    g_hash_table_insert(client->requests, GUINT_TO_POINTER(line->id), request);
    if (!sasl_begin(&request->exchange, line->mechanism, challenge))
        return refuse(request, "unknown mechanism");
    return step(request, line->response, out);
}

static gboolean go_on(Client *client, const AuthLine *line, GString *out)
{
    Request *request = g_hash_table_lookup(client->requests, GUINT_TO_POINTER(line->id));

    return request && !request->timer && step(request, line->response, out);
}

static gssize auth_take(Connection *connection, gpointer state, const char *data, gsize length,
                        GString *out)
{
    g_auto(AuthLine) line = {0};
    g_autoptr(GError) error = NULL;
    gssize used = auth_parse(data, length, &line, &error);
    gboolean good = TRUE;

    (void)connection;
    if (error)
        log_warning(NULL, "connection closed", LOG_TEXT("socket", "auth"), LOG_GERROR(error));
    if (used <= 0)
        return used;
    if (line.kind == AUTH_LINE_VERSION)
        good = line.id == 1;
    else if (line.kind == AUTH_LINE_AUTH)
        good = begin(state, &line, out);
    else if (line.kind == AUTH_LINE_CONT)
        good = go_on(state, &line, out);
    return good ? used : -1;
}

const Protocol auth_protocol = {
    .name = "auth",
    .request_max = AUTH_LINE_MAX,
    .idle_seconds = 86400, /* a smtpd(8) keeps its link as long as it lives */
    .open = auth_open,
    .take = auth_take,
    .closed = auth_closed,
};
