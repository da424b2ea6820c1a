/* SPDX-License-Identifier: MIT */
#include "milters/meter.h"

#include "lib/service/ask.h"

struct Meter {
    const Config *config;
    GMutex mutex;
    GQueue idle; /* AskLink */
};

struct MeterCharge {
    Meter *meter;
    AskLink *link;
    guint64 message;
};

static void close_link(gpointer link)
{
    ask_close(link);
}

Meter *meter_new(const Config *config)
{
    Meter *meter = g_new0(Meter, 1);

    meter->config = config;
    g_mutex_init(&meter->mutex);
    g_queue_init(&meter->idle);
    return meter;
}

void meter_free(Meter *meter)
{
    if (!meter)
        return;
    g_queue_clear_full(&meter->idle, close_link);
    g_mutex_clear(&meter->mutex);
    g_free(meter);
}

static AskLink *take_idle(Meter *meter)
{
    g_mutex_lock(&meter->mutex);
    AskLink *link = g_queue_pop_head(&meter->idle);
    g_mutex_unlock(&meter->mutex);
    return link;
}

static void give(Meter *meter, AskLink *link)
{
    g_mutex_lock(&meter->mutex);
    gboolean room = g_queue_get_length(&meter->idle) < METER_IDLE_MAX;
    if (room)
        g_queue_push_head(&meter->idle, link);
    g_mutex_unlock(&meter->mutex);
    if (!room)
        ask_close(link);
}

/* The answer's line, NULL on trouble. */
static char *ask(AskLink *link, const GString *line, GError **error)
{
    return ask_send(link, line, error) ? ask_line(link, error) : NULL;
}

/* Asks on a connection that was kept, which policyd may have closed meanwhile, or on a new one. What the
 * lost one may have charged went back with it, unless policyd was killed. */
static char *ask_on_any(Meter *meter, const GString *line, AskLink **link, GError **error)
{
    g_autoptr(AskLink) kept = take_idle(meter);
    char *answer = kept ? ask(kept, line, NULL) : NULL;

    if (answer) {
        *link = g_steal_pointer(&kept);
        return answer;
    }
    g_autoptr(AskLink) fresh = ask_open(meter->config, CHARGE_SOCKET, error);
    answer = fresh ? ask(fresh, line, error) : NULL;
    if (answer)
        *link = g_steal_pointer(&fresh);
    return answer;
}

gboolean meter_charge(Meter *meter, const ChargeRequest *request, ChargeVerdict *verdict,
                      MeterCharge **charge, GError **error)
{
    g_autoptr(GString) line = g_string_new(NULL);
    g_autoptr(AskLink) link = NULL;

    charge_request_append(line, request);
    g_autofree char *answer = ask_on_any(meter, line, &link, error);
    if (!answer || !charge_verdict_parse(answer, verdict, error))
        return FALSE;
    if (verdict->limit != 0) {
        give(meter, g_steal_pointer(&link));
        return TRUE;
    }
    *charge = g_new(MeterCharge, 1);
    **charge = (MeterCharge){meter, g_steal_pointer(&link), request->message};
    return TRUE;
}

/* A connection that is lost now has given the charge back, unless policyd was killed: then it stays. */
static void settle(MeterCharge *charge, ChargeVerb verb)
{
    g_autoptr(GString) line = g_string_new(NULL);
    const ChargeRequest request = {.verb = verb, .message = charge->message};

    charge_request_append(line, &request);
    if (ask_send(charge->link, line, NULL))
        give(charge->meter, charge->link);
    else
        ask_close(charge->link);
    g_free(charge);
}

void meter_keep(MeterCharge *charge)
{
    if (charge)
        settle(charge, CHARGE_KEEP);
}

void meter_refund(MeterCharge *charge)
{
    if (charge)
        settle(charge, CHARGE_REFUND);
}
