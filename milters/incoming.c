/* SPDX-License-Identifier: MIT */
#include "milters/incoming.h"

#include <string.h>

#include "lib/base/address.h"
#include "lib/base/error.h"
#include "lib/edge/edge_route.h"
#include "lib/log/log.h"
#include "lib/mime/field.h"
#include "lib/mime/mailbox.h"
#include "lib/mime/received.h"
#include "milters/arrival.h"
#include "milters/edit.h"
#include "milters/effect.h"
#include "milters/hop.h"
#include "milters/lanes.h"
#include "milters/recall.h"

/* What is known of a message on its way through here. */
typedef struct {
    SMFICTX *context;
    Session *session;
    Shared *shared;
    EventSubject subject;
    Client client;
    const EdgeRoute *route;
    guint32 endpoint; /* 0: none */
    Reserved reserved;
    guint index;
} Arriving;

/* The client of the first pass: its Received field is the topmost that we see. */
static void find_client(const Message *message, Client *client)
{
    const char *value = mime_fields_nth(message->fields, "Received", 1);
    g_auto(MimeReceived) received = {0};

    if (!value)
        return;
    mime_received_read(value, &received);
    client->ip = g_steal_pointer(&received.ip);
    client->ptr = g_steal_pointer(&received.name);
    client->helo = g_steal_pointer(&received.helo);
    client->tls = received.tls ? g_strdup("TLS") : NULL;
}

/* A retry of the hop finds the same fields, and the same n unless the route has changed; what comes by again has more of them. */
static char *recall_key(const Message *message, guint n)
{
    const char *value = mime_fields_nth(message->fields, "Received", 1);
    g_autofree char *text = g_strdup_printf("%s\n%s\n%u\n%u", value, message->came_for, n,
                                            mime_fields_count(message->fields, "Received"));

    return value ? g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1) : NULL;
}

static gboolean reserve(Shared *shared, const Message *message, guint n, Reserved *reserved,
                        GError **error)
{
    g_autofree char *key = recall_key(message, n);

    if (key && recall_find(shared_recall(shared), key, reserved)) {
        reserved->again = TRUE;
        return TRUE;
    }
    if (!outgoing_reserve(shared, n, reserved, error))
        return FALSE;
    if (key)
        recall_keep(shared_recall(shared), key, reserved);
    return TRUE;
}

static RefusalName check(const Message *message, Shared *shared, GError **error)
{
    if (!message->body)
        return REFUSAL_SIZE;
    if (!message_header_fits(message))
        return REFUSAL_HEADER;
    return journal_check_space(shared_journal(shared), error) ? REFUSAL_NONE : REFUSAL_SPACE;
}

static char *first_from(const Message *message)
{
    const char *value = mime_fields_nth(message->fields, "From", 1);
    g_autoptr(GPtrArray) list = value ? mime_mailboxes_parse(value, NULL) : NULL;

    return list && list->len ? g_strdup(((MimeMailbox *)list->pdata[0])->address) : NULL;
}

/* The lane of what is forwarded is that of its server's mail; a sealed sender says it by itself. */
static gboolean find_lane(const Arriving *arriving, Outgoing *outgoing, GError **error)
{
    const Message *message = arriving->session->message;
    g_auto(LanesWay) way = {0};

    if (!lanes_of_server(arriving->shared, arriving->route->server, message, outgoing->id, &way,
                         error))
        return FALSE;
    outgoing->verdict.lane = way.lane;
    outgoing->wait = g_steal_pointer(&way.wait);
    if (!*message->mail_from)
        outgoing->way = g_steal_pointer(&way.header);
    return TRUE;
}

/* What one server of ours sends to another's route: its failure is the first one's to know, and tells of this message here. */
static gboolean is_from_us(const Arriving *arriving)
{
    ReturnPath path;

    return shared_open_path(arriving->shared, arriving->session->message->mail_from, &path) &&
           path.kind == RETURN_PATH_MESSAGE;
}

/* A null sender stays null; what keeps its own gets it back from the hop. */
static gboolean seal(const Arriving *arriving, Outgoing *outgoing, gboolean seals_sender,
                     GError **error)
{
    const char *mail_from = arriving->session->message->mail_from;
    const ReturnPath path = {RETURN_PATH_FORWARD, outgoing->id, arriving->route->server,
                             outgoing->verdict.lane};
    const char *domain = config_string(shared_config(arriving->shared), CONFIG_RETURN_PATH_DOMAIN);

    if (!outgoing_seal_id(outgoing, arriving->shared, arriving->route->server, error))
        return FALSE;
    if (!seals_sender || !*mail_from) {
        outgoing->sender = arriving->reserved.hop ? g_strdup(mail_from) : NULL;
        return TRUE;
    }
    outgoing->return_path = shared_seal_path(arriving->shared, &path, domain);
    outgoing->sender = g_strdup(outgoing->return_path);
    if (!outgoing->return_path)
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INTERNAL, "return path cannot be sealed");
    return outgoing->return_path != NULL;
}

static gboolean decide(const Arriving *arriving, ArrivalVerdict *verdict, GError **error)
{
    const Message *message = arriving->session->message;
    const Config *config = shared_config(arriving->shared);
    g_autoptr(EdgeEndpoint) endpoint = NULL;

    if (arriving->endpoint &&
        !edge_endpoint_by_id(shared_edge(arriving->shared), arriving->endpoint, &endpoint, error))
        return FALSE;
    if (endpoint && endpoint->server != arriving->route->server)
        g_clear_pointer(&endpoint, edge_endpoint_free);
    const ArrivalFacts facts = {.route = arriving->route,
                                .endpoint = endpoint,
                                .received = mime_fields_count(message->fields, "Received"),
                                .received_max = (guint)config_int(config, CONFIG_RECEIVED_MAX)};
    arrival_decide(&facts, verdict);
    return TRUE;
}

/* The hop's own field is hidden, so without this one what goes from route to route would never come to an end. */
static void leave_trace(const Arriving *arriving, const char *id, GPtrArray *edits)
{
    const Config *config = shared_config(arriving->shared);
    g_autofree char *date = mime_date(arriving->subject.at_us / G_USEC_PER_SEC);
    g_autofree char *value = g_strdup_printf(" by %s (Outrider)\n\tid %s; %s",
                                             config_string(config, CONFIG_HOSTNAME), id, date);

    edit_insert(edits, arriving->session->message->fields, "Received", value);
}

/* Errors are temporary; what has to wait says so. */
static Outgoing *prepare(const Arriving *arriving, GError **error)
{
    Message *message = arriving->session->message;
    g_autoptr(Outgoing) outgoing = outgoing_new(&arriving->reserved, arriving->index);
    g_auto(ArrivalVerdict) verdict = {0};

    outgoing->from = first_from(message);
    outgoing->origin = (Origin){arriving->route->id, arriving->endpoint};
    if (!decide(arriving, &verdict, error))
        return NULL;
    outgoing->verdict.hold = verdict.hold;
    outgoing->verdict.hold_rule = verdict.hold_rule;
    outgoing->way = g_steal_pointer(&verdict.way);
    outgoing->to = g_steal_pointer(&verdict.to);
    if ((outgoing->to && !find_lane(arriving, outgoing, error)) ||
        !seal(arriving, outgoing, verdict.seals_sender || is_from_us(arriving), error))
        return NULL;
    if (outgoing->wait)
        outgoing->refusal = REFUSAL_POOL;
    if (verdict.no_address)
        outgoing->refusal = REFUSAL_ENDPOINT;
    outgoing->edits = dispatch_arrival_edits(message->fields, outgoing->msgid);
    if (outgoing->to)
        leave_trace(arriving, outgoing->token, outgoing->edits);
    return g_steal_pointer(&outgoing);
}

static RefusalName dispatch(const Arriving *arriving, GError **error)
{
    g_autoptr(Outgoing) outgoing = prepare(arriving, error);

    if (!outgoing)
        return refusal_of_trouble(*error);
    if (outgoing->refusal != REFUSAL_NONE) {
        arriving->session->reply = g_strdup(outgoing->wait);
        return outgoing->refusal;
    }
    return effect_message(arriving->context, arriving->shared, &arriving->subject, outgoing, error)
               ? REFUSAL_NONE
               : refusal_of_trouble(*error);
}

/* Other recipients, for Postfix and for history. */
static gboolean readdress(SMFICTX *context, Message *message, const GPtrArray *to, GError **error)
{
    if (!effect_recipients(context, message, to, error))
        return FALSE;
    message_set_recipients(message, to);
    return TRUE;
}

static gboolean set_recipient(SMFICTX *context, Message *message, char *to, GError **error)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new();

    g_ptr_array_add(list, to);
    return readdress(context, message, list, error);
}

/* An address for each endpoint; the claim says which one it came for. */
static RefusalName fan_out(Arriving *arriving, GError **error)
{
    Message *message = arriving->session->message;
    g_autoptr(GPtrArray) addresses = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *rcpt = g_strdup(message_rcpt(message));
    g_autoptr(GPtrArray) trace = edits_new();
    char token[TOKEN_LENGTH + 1];

    for (guint i = 0; i < arriving->route->endpoint_count; i++)
        g_ptr_array_add(addresses,
                        g_strdup_printf("%u.%u@" EDGE_ENDPOINT_DOMAIN,
                                        arriving->route->endpoints[i], arriving->route->id));
    token_derive(arriving->reserved.seed, 0, token);
    leave_trace(arriving, token, trace);
    if (!effect_store(arriving->shared, message, arriving->reserved.base, arriving->route->server,
                      error) ||
        !effect_header(arriving->context, trace, error) ||
        !readdress(arriving->context, message, addresses, error))
        return refusal_of_trouble(*error);
    arriving->subject.id = arriving->reserved.base;
    g_autoptr(Claim) claim = hop_claim(arriving->shared, &arriving->subject, &arriving->reserved);
    claim->rcpt_to = g_steal_pointer(&rcpt);
    return hop_hand_on(arriving->context, arriving->shared, &arriving->subject, claim, error)
               ? REFUSAL_NONE
               : refusal_of_trouble(*error);
}

static RefusalName take(Arriving *arriving, GError **error)
{
    const EdgeRoute *route = arriving->route;
    RefusalName refusal = check(arriving->session->message, arriving->shared, error);
    const guint n = MAX(1, route->endpoint_count);

    if (refusal != REFUSAL_NONE)
        return refusal;
    if (!reserve(arriving->shared, arriving->session->message, n, &arriving->reserved, error))
        return refusal_of_trouble(*error);
    if (n > 1)
        return fan_out(arriving, error);
    arriving->endpoint = route->endpoint_count ? route->endpoints[0] : 0;
    return dispatch(arriving, error);
}

static void begin(Arriving *arriving, const EdgeRoute *route, const char *queue_id)
{
    arriving->route = route;
    find_client(arriving->session->message, &arriving->client);
    arriving->subject = session_subject(arriving->session, arriving->shared, NULL, queue_id);
    arriving->subject.server = route->server;
    arriving->subject.credential_id = 0;
    arriving->subject.client = &arriving->client;
}

static void log_trouble(const char *queue_id, RefusalName refusal, const Message *message,
                        const GError *error)
{
    if (refusal != REFUSAL_NONE)
        log_warning(queue_id, "incoming message not taken",
                    LOG_TEXT("rule", refusal_words(refusal)->rule),
                    LOG_TEXT("rcpt", message_rcpt(message)), LOG_GERROR(error));
}

RefusalName incoming_take_for(SMFICTX *context, Session *session, Shared *shared,
                              const char *queue_id, const EdgeRoute *route)
{
    Arriving arriving = {.context = context, .session = session, .shared = shared};
    g_autoptr(GError) error = NULL;

    begin(&arriving, route, queue_id);
    RefusalName refusal = take(&arriving, &error);
    client_clear(&arriving.client);
    log_trouble(queue_id, refusal, session->message, error);
    return refusal;
}

/* What comes to a forward address comes to its route. */
static gboolean find_route(SMFICTX *context, Message *message, Shared *shared, EdgeRoute **route,
                           GError **error)
{
    const char *rcpt = message_rcpt(message);
    const char *domain = config_string(shared_config(shared), CONFIG_ROUTE_DOMAIN);

    if (!edge_route_for_recipient(shared_edge(shared), rcpt, domain, route, error))
        return FALSE;
    g_autofree char *address = *route ? edge_route_address(*route, rcpt) : g_strdup(rcpt);
    return g_str_equal(address, rcpt) || set_recipient(context, message, address, error);
}

gboolean incoming_take(SMFICTX *context, Session *session, Shared *shared, const char *queue_id,
                       RefusalName *refusal)
{
    g_autoptr(EdgeRoute) route = NULL;
    g_autoptr(GError) error = NULL;

    if (session->message->rcpts->len != 1)
        return FALSE;
    if (!find_route(context, session->message, shared, &route, &error)) {
        *refusal = refusal_of_trouble(error);
        log_trouble(queue_id, *refusal, session->message, error);
        return TRUE;
    }
    if (route)
        *refusal = incoming_take_for(context, session, shared, queue_id, route);
    return route != NULL;
}

gboolean incoming_is_nobody(Shared *shared, const char *address)
{
    g_autofree char *domain = address_domain(address);
    gboolean ours = FALSE;

    return domain && edge_route_domain(shared_edge(shared), domain, &ours, NULL) && ours;
}

/* A route that is gone meanwhile takes nothing any more. */
static EdgeRoute *gone(const Claim *claim, guint32 id)
{
    EdgeRoute *route = g_new0(EdgeRoute, 1);

    route->id = id;
    route->server = claim->server;
    route->mode = EDGE_ROUTE_REJECT;
    return route;
}

/* ENDPOINT.ROUTE@EDGE_ENDPOINT_DOMAIN */
static gboolean read_endpoint_address(const char *address, guint32 *endpoint, guint32 *route)
{
    char *dot, *at;
    guint64 first = g_ascii_strtoull(address, &dot, 10);

    if (*dot != '.')
        return FALSE;
    guint64 second = g_ascii_strtoull(dot + 1, &at, 10);
    *endpoint = (guint32)first;
    *route = (guint32)second;
    return first <= G_MAXUINT32 && second <= G_MAXUINT32 &&
           g_ascii_strcasecmp(at, "@" EDGE_ENDPOINT_DOMAIN) == 0;
}

static gboolean find_parts(Session *session, Shared *shared, const Claim *claim, guint32 *endpoint,
                           EdgeRoute **route, GError **error)
{
    guint32 route_id;

    if (!read_endpoint_address(message_rcpt(session->message), endpoint, &route_id)) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_FORGED, "no address of an endpoint");
        return FALSE;
    }
    if (!edge_route_by_id(shared_edge(shared), route_id, route, error))
        return FALSE;
    if (*route && ((*route)->server != claim->server || (*route)->mode != EDGE_ROUTE_ENDPOINT))
        g_clear_pointer(route, edge_route_free);
    if (!*route)
        *route = gone(claim, route_id);
    return TRUE;
}

RefusalName incoming_take_endpoint(SMFICTX *context, Session *session, Shared *shared,
                                   const char *queue_id, const Claim *claim, guint index)
{
    Arriving arriving = {.context = context,
                         .session = session,
                         .shared = shared,
                         .reserved = {.base = claim->base, .hop = TRUE, .again = TRUE},
                         .index = index};
    g_autoptr(EdgeRoute) route = NULL;
    g_autoptr(GError) error = NULL;
    RefusalName refusal = check(session->message, shared, &error);

    if (refusal == REFUSAL_NONE &&
        (!find_parts(session, shared, claim, &arriving.endpoint, &route, &error) ||
         !set_recipient(context, session->message, claim->rcpt_to, &error)))
        refusal = refusal_of_trouble(error);
    if (refusal == REFUSAL_NONE) {
        g_assert(route);
        memcpy(arriving.reserved.seed, claim->seed, sizeof claim->seed);
        begin(&arriving, route, queue_id);
        refusal = dispatch(&arriving, &error);
        client_clear(&arriving.client);
    }
    log_trouble(queue_id, refusal, session->message, error);
    return refusal;
}
