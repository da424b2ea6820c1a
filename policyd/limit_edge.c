/* SPDX-License-Identifier: MIT */
/* What a connection charged and did not keep is refunded when it ends. */
#include "lib/base/error.h"
#include "lib/log/log.h"
#include "policyd/edges.h"

#define HELD_MAX    256         /* of one connection */
#define PAGE_OCTETS (32 * 1024) /* of changes at once: others wait for it */

/* Postfix's user may use the other sockets, but neither charge nor reset. */
static const char *const users[] = {"outrider-milter", "outrider-worker", "outrider-apid", NULL};
static const char *const sharers[] = {"outrider-worker", NULL};

typedef struct {
    Policyd *policyd;
    gboolean may_ask;
    GHashTable *held; /* messages, each in itself, that it is a holder of */
} Asker;

static gpointer limit_open(Connection *connection, gpointer context, GString *out)
{
    Asker *asker = g_new(Asker, 1);

    (void)out;
    asker->policyd = context;
    asker->may_ask = connection_is_from(connection, users);
    asker->held = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    return asker;
}

static void limit_closed(gpointer state)
{
    Asker *asker = state;
    GHashTableIter iter;
    gpointer message;

    g_hash_table_iter_init(&iter, asker->held);
    while (g_hash_table_iter_next(&iter, &message, NULL))
        pending_refund(asker->policyd->pending, *(const guint64 *)message);
    g_hash_table_unref(asker->held);
    g_free(asker);
}

static gboolean charge(Asker *asker, const ChargeRequest *request, GString *out, GError **error)
{
    const LimitsFacts facts = {.organization = request->organization,
                               .server = request->server,
                               .credential = request->credential,
                               .domain = request->domain};
    ChargeVerdict verdict = {0};

    if (g_hash_table_size(asker->held) >= HELD_MAX) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_TOO_LARGE,
                    "more than %d charges that are not kept", HELD_MAX);
        return FALSE;
    }
    if (!g_hash_table_contains(asker->held, &request->message)) {
        if (!pending_charge(asker->policyd->pending, request->message, &facts, &verdict, error))
            return FALSE;
        if (verdict.limit == 0)
            g_hash_table_add(asker->held, g_memdup2(&request->message, sizeof request->message));
    }
    charge_verdict_append(out, &verdict);
    return TRUE;
}

/* A limit that is not known here yet is no reason to close. */
static gboolean count_or_reset(Asker *asker, const ChargeRequest *request, GString *out,
                               GError **error)
{
    g_autoptr(GError) why = NULL;
    ChargeCount count;

    if (request->verb == CHARGE_RESET && limits_reset(asker->policyd->limits, request->limit, &why))
        g_string_append(out, "ok\n");
    else if (!why && limits_count(asker->policyd->limits, request->limit, &count, &why))
        charge_count_append(out, &count);
    else if (g_error_matches(why, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND))
        g_string_append(out, CHARGE_NONE "\n");
    else
        g_propagate_error(error, g_steal_pointer(&why));
    return *error == NULL;
}

static void settle(Asker *asker, const ChargeRequest *request)
{
    if (!g_hash_table_remove(asker->held, &request->message))
        return;
    if (request->verb == CHARGE_KEEP)
        pending_keep(asker->policyd->pending, request->message);
    else
        pending_refund(asker->policyd->pending, request->message);
}

static gboolean append_usage(const Usage *usage, gpointer data)
{
    GString *out = data;

    usage_append(out, usage);
    return out->len < PAGE_OCTETS;
}

static gboolean tell_changes(Asker *asker, const ChargeRequest *request, GString *out,
                             GError **error)
{
    UsageMark mark = request->mark;
    gboolean more = FALSE;

    if (!limits_changes(asker->policyd->limits, &mark, &more, append_usage, out, error))
        return FALSE;
    usage_mark_append(out, &mark, more);
    return TRUE;
}

static gboolean answer(Asker *asker, const ChargeRequest *request, GString *out, GError **error)
{
    switch (request->verb) {
    case CHARGE_CHARGE:
        return charge(asker, request, out, error);
    case CHARGE_COUNT:
    case CHARGE_RESET:
        return count_or_reset(asker, request, out, error);
    case CHARGE_CHANGES:
        return tell_changes(asker, request, out, error);
    case CHARGE_SHARE:
        return limits_share(asker->policyd->limits, request, error);
    default:
        settle(asker, request);
        return TRUE;
    }
}

static gboolean may_share(const Connection *connection, const ChargeRequest *request,
                          GError **error)
{
    if ((request->verb != CHARGE_CHANGES && request->verb != CHARGE_SHARE) ||
        connection_is_from(connection, sharers))
        return TRUE;
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "the worker alone may share");
    return FALSE;
}

static gssize limit_take(Connection *connection, gpointer state, const char *data, gsize length,
                         GString *out)
{
    g_auto(ChargeRequest) request = {0};
    g_autoptr(GError) error = NULL;

    if (!((const Asker *)state)->may_ask) {
        log_warning(NULL, "connection closed: may not ask", LOG_TEXT("socket", CHARGE_SOCKET));
        return -1;
    }
    gssize used = charge_request_parse(data, length, &request, &error);
    if (used > 0 &&
        (!may_share(connection, &request, &error) || !answer(state, &request, out, &error)))
        used = -1;
    if (error)
        log_warning(NULL, "connection closed", LOG_TEXT("socket", CHARGE_SOCKET),
                    LOG_GERROR(error));
    return used;
}

const Protocol limit_protocol = {.name = CHARGE_SOCKET,
                                 .request_max = CHARGE_LINE_MAX,
                                 .idle_seconds = 600,
                                 .open = limit_open,
                                 .take = limit_take,
                                 .closed = limit_closed};
