/* SPDX-License-Identifier: MIT */
#include "milters/lanes.h"

#include "lib/base/error.h"
#include "lib/edge/lane_served.h"
#include "lib/mime/field.h"
#include "lib/mime/mailbox.h"
#include "milters/lane.h"

/* Every address in From; what cannot be read holds for no rule. */
static GPtrArray *from_addresses(const Message *message)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(g_free);

    for (guint nth = 1; nth <= mime_fields_count(message->fields, "From"); nth++) {
        g_autoptr(GPtrArray) mailboxes =
            mime_mailboxes_parse(mime_fields_nth(message->fields, "From", nth), NULL);
        for (guint i = 0; mailboxes && i < mailboxes->len; i++)
            g_ptr_array_add(list, g_strdup(((MimeMailbox *)mailboxes->pdata[i])->address));
    }
    return list;
}

/* Which way a message takes: by rule, then what its server has. */
typedef struct {
    guint32 pool;
    guint32 smarthost; /* goes before the pool; both 0: the default */
} Way;

static gboolean choose(Edge *edge, const EdgeCredential *credential, const Message *message,
                       Way *way, GError **error)
{
    g_autoptr(GPtrArray) from = credential->has_rules ? from_addresses(message) : NULL;
    EdgeLaneRule rule;

    if (!edge_lane_rule(edge, credential, from, message_rcpt(message), &rule, error))
        return FALSE;
    *way = rule.id ? (Way){rule.pool, rule.smarthost}
                   : (Way){credential->ip_pool, credential->smarthost};
    return TRUE;
}

/* A default smart host goes before the default pool. */
static GArray *look_up(Edge *edge, const Way *way, GError **error)
{
    if (way->pool && !way->smarthost)
        return edge_lanes_of_pool(edge, way->pool, error);
    GArray *lanes = edge_smarthost(edge, way->smarthost, error);
    if (!lanes || lanes->len || way->smarthost)
        return lanes;
    g_array_unref(lanes);
    return edge_lanes_of_pool(edge, 0, error);
}

static gboolean not_set_up(const EdgeLane *lane, GError **error)
{
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE,
                "smart host %s (lane %u) is not set up on this node: run `outrider postfix apply'",
                lane->next_hop, lane->lane);
    return FALSE;
}

/* Without the file an admin has put the addresses' lines into master.cf, but no smart host's password. */
static gboolean drain_unserved(Shared *shared, GArray *lanes, GError **error)
{
    g_autoptr(GError) why = NULL;
    g_autoptr(GArray) served = lane_served_now(shared_served(shared), &why);

    if (why) {
        g_propagate_error(error, g_steal_pointer(&why));
        return FALSE;
    }
    for (guint i = 0; i < lanes->len; i++) {
        EdgeLane *lane = &g_array_index(lanes, EdgeLane, i);
        if (lane->next_hop && (!served || !lane_served_has(served, lane->lane)))
            return not_set_up(lane, error);
        if (!lane_served_has(served, lane->lane))
            lane->weight = 0;
    }
    return TRUE;
}

/* A smart host is there, or nothing is. */
static gboolean look_for_wait(Edge *edge, const Way *way, const GArray *lanes, char **wait,
                              GError **error)
{
    g_autofree char *pool = NULL;

    if (way->smarthost || lane_pick(0, lanes))
        return TRUE;
    if (!edge_pool_that_defers(edge, way->pool, &pool, error))
        return FALSE;
    if (pool)
        *wait =
            g_strdup_printf("No address of pool %s takes mail on this node, try again later", pool);
    return TRUE;
}

GArray *lanes_for(Shared *shared, const EdgeCredential *credential, const Message *message,
                  char **wait, GError **error)
{
    Edge *edge = shared_edge(shared);
    Way way;

    if (!choose(edge, credential, message, &way, error))
        return NULL;
    g_autoptr(GArray) lanes = look_up(edge, &way, error);
    if (!lanes || !drain_unserved(shared, lanes, error) ||
        !look_for_wait(edge, &way, lanes, wait, error))
        return NULL;
    return g_steal_pointer(&lanes);
}

char *lanes_header(const GArray *lanes, guint32 lane)
{
    for (guint i = 0; lane && i < lanes->len; i++) {
        const EdgeLane *found = &g_array_index(lanes, EdgeLane, i);
        if (found->lane == lane && found->next_hop)
            return g_strdup_printf("sh%u:%s", lane, found->next_hop);
    }
    return lane ? g_strdup_printf("%u", lane) : NULL;
}

void lanes_way_clear(LanesWay *way)
{
    g_free(way->header);
    g_free(way->wait);
    *way = (LanesWay){0};
}

gboolean lanes_of_server(Shared *shared, guint32 server, const Message *message, guint64 id,
                         LanesWay *way, GError **error)
{
    g_autoptr(EdgeCredential) owner = edge_server_by_id(shared_edge(shared), server, error);
    g_autoptr(GArray) lanes = owner ? lanes_for(shared, owner, message, &way->wait, error) : NULL;

    if (!lanes)
        return FALSE;
    way->lane = lane_pick(id, lanes);
    way->header = lanes_header(lanes, way->lane);
    return TRUE;
}
