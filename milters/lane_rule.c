/* SPDX-License-Identifier: MIT */
#include "milters/lane_rule.h"

#include "lib/base/condition.h"

static gboolean holds(const EdgeLaneRule *rule, const GPtrArray *from, const char *rcpt)
{
    if (condition_list_match(rule->to, rcpt))
        return TRUE;
    for (guint i = 0; rule->from && i < from->len; i++)
        if (condition_list_match(rule->from, from->pdata[i]))
            return TRUE;
    return FALSE;
}

static gboolean goes_before(const EdgeLaneRule *rule, const EdgeLaneRule *other)
{
    if (!other || rule->of_server != other->of_server)
        return !other || rule->of_server;
    return rule->id > other->id;
}

LaneChoice lane_choose(const GPtrArray *rules, const EdgeCredential *credential,
                       const GPtrArray *from, const char *rcpt)
{
    const EdgeLaneRule *best = NULL;

    for (guint i = 0; i < rules->len; i++)
        if (goes_before(rules->pdata[i], best) && holds(rules->pdata[i], from, rcpt))
            best = rules->pdata[i];
    if (best)
        return (LaneChoice){best->id, best->smarthost ? 0 : best->pool, best->smarthost};
    return (LaneChoice){0, credential->smarthost ? 0 : credential->ip_pool, credential->smarthost};
}
