/* SPDX-License-Identifier: MIT */
#include "milters/limit.h"

#include "lib/base/address.h"
#include "lib/edge/edge_limit.h"

void limit_outcome_clear(LimitOutcome *outcome)
{
    g_clear_pointer(&outcome->text, g_free);
    g_clear_pointer(&outcome->reason, g_free);
    g_clear_pointer(&outcome->charge, meter_refund);
}

static void reach(LimitOutcome *outcome, const ChargeVerdict *verdict,
                  const EdgeCredential *credential, const char *domain)
{
    outcome->reached = TRUE;
    outcome->action = verdict->action;
    outcome->text = charge_verdict_text(verdict, credential->organization_permalink,
                                        credential->server_permalink, domain);
    outcome->reason = charge_verdict_reason(verdict, outcome->text);
}

gboolean limit_message(Shared *shared, const EdgeCredential *credential, guint64 id,
                       const char *rcpt, LimitOutcome *outcome, GError **error)
{
    g_autofree char *domain = address_domain(rcpt);
    const ChargeRequest request = {.verb = CHARGE_CHARGE,
                                   .message = id,
                                   .organization = credential->organization,
                                   .server = credential->server,
                                   .credential = credential->id,
                                   .domain = domain};
    ChargeVerdict verdict = {0};
    gboolean limited;

    if (!edge_is_limited(shared_edge(shared), credential, domain, &limited, error))
        return FALSE;
    if (!limited)
        return TRUE;
    if (!meter_charge(shared_meter(shared), &request, &verdict, &outcome->charge, error))
        return FALSE;
    if (verdict.limit != 0)
        reach(outcome, &verdict, credential, domain);
    return TRUE;
}
