/* SPDX-License-Identifier: MIT */
#include "milters/arrival.h"

#include <string.h>

#include "lib/journal/held.h"

#define KEPT       "discard:kept in history"
#define NO_ADDRESS "error:5.1.1 no such address"
#define BOUNCED    "error:5.2.1 this address takes no mail"
#define GONE       "error:5.3.5 its endpoint does not exist any more"
#define LOOPS      "error:5.4.6 too many Received fields: mail is looping"
#define VERIFY     "verify"

void arrival_verdict_clear(ArrivalVerdict *verdict)
{
    g_free(verdict->way);
    g_free(verdict->to);
    *verdict = (ArrivalVerdict){0};
}

/* One that may be asked. Who owns the name says where it leads from one moment to the next, so mail goes to the address
 * that was judged; with TLS that is verified the certificate says who it is. */
static gboolean has_address(const EdgeEndpoint *endpoint, ArrivalVerdict *verdict)
{
    if (*endpoint->resolved)
        return TRUE;
    verdict->no_address = TRUE;
    return FALSE;
}

static char *smtp_way(const EdgeEndpoint *endpoint, ArrivalVerdict *verdict)
{
    const char *host = strcmp(endpoint->tls, VERIFY) == 0 ? endpoint->host : endpoint->resolved;

    if (!has_address(endpoint, verdict))
        return NULL;
    return g_strdup_printf("outrider-out-%s:[%s]:%u", endpoint->tls, host, endpoint->port);
}

static char *lmtp_way(const EdgeEndpoint *endpoint, ArrivalVerdict *verdict)
{
    if (endpoint->host[0] == '/')
        return g_strdup_printf("outrider-lmtp:unix:%s", endpoint->host);
    if (!has_address(endpoint, verdict))
        return NULL;
    return g_strdup_printf("outrider-lmtp:inet:[%s]:%u", endpoint->resolved, endpoint->port);
}

static void to_endpoint(const EdgeEndpoint *endpoint, ArrivalVerdict *verdict)
{
    if (!endpoint) {
        verdict->way = g_strdup(GONE);
        return;
    }
    switch (endpoint->kind) {
    case EDGE_ENDPOINT_HTTP:
        verdict->way = g_strdup_printf("outrider-http:endpoint/%u", endpoint->id);
        break;
    case EDGE_ENDPOINT_SMTP:
        verdict->way = smtp_way(endpoint, verdict);
        verdict->seals_sender = TRUE;
        break;
    case EDGE_ENDPOINT_LMTP:
        verdict->way = lmtp_way(endpoint, verdict);
        break;
    case EDGE_ENDPOINT_ADDRESS:
        verdict->to = g_strdup(endpoint->address);
        verdict->seals_sender = TRUE;
        break;
    }
}

static void hold(ArrivalVerdict *verdict, HoldRule rule)
{
    verdict->hold = hold_rule_reason(rule);
    verdict->hold_rule = hold_rule_word(rule);
}

void arrival_decide(const ArrivalFacts *facts, ArrivalVerdict *verdict)
{
    const EdgeRoute *route = facts->route;

    *verdict = (ArrivalVerdict){0};
    if (facts->received > facts->received_max) {
        verdict->way = g_strdup(LOOPS);
        return;
    }
    if (route->suspended)
        hold(verdict, HOLD_SUSPENDED);
    else if (route->development)
        hold(verdict, HOLD_DEVELOPMENT);
    switch (route->mode) {
    case EDGE_ROUTE_ENDPOINT:
        to_endpoint(facts->endpoint, verdict);
        break;
    case EDGE_ROUTE_ACCEPT:
        verdict->way = g_strdup(KEPT);
        break;
    case EDGE_ROUTE_HOLD:
        verdict->way = g_strdup(KEPT);
        if (!verdict->hold)
            hold(verdict, HOLD_ROUTE);
        break;
    case EDGE_ROUTE_BOUNCE:
        verdict->way = g_strdup(BOUNCED);
        break;
    case EDGE_ROUTE_REJECT:
        verdict->way = g_strdup(NO_ADDRESS);
        break;
    }
}
