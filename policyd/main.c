/* SPDX-License-Identifier: MIT */
/* outrider-policyd(8): answers Postfix's questions, and counts, from memory and the replicas. */
#include <signal.h>
#include <stdlib.h>
#include <sysexits.h>

#include "lib/admission/use_count.h"
#include "lib/log/log.h"
#include "lib/service/service.h"
#include "policyd/edges.h"

#define WATCHDOG_SECONDS 10

typedef struct {
    Service *service;
    Policyd *policyd;
} Running;

static void on_signal(evutil_socket_t fd, short what, void *data)
{
    Running *running = data;
    int number = service_read_signal(running->service);

    (void)fd;
    (void)what;
    if (number == SIGHUP) {
        edge_close(running->policyd->edge);
        running->policyd->edge =
            edge_open(config_string(service_config(running->service), CONFIG_EDGE_DIR));
        log_info(NULL, "replicas will be opened again");
    } else if (number != 0) {
        event_base_loopbreak(running->policyd->base);
    }
}

static void on_minute(evutil_socket_t fd, short what, void *data)
{
    (void)fd;
    (void)what;
    tally_write(((Running *)data)->policyd->tally);
}

/* One complaint until it is well again. */
static void on_second(evutil_socket_t fd, short what, void *data)
{
    Policyd *policyd = ((Running *)data)->policyd;
    static gboolean complained;
    g_autoptr(GError) error = NULL;

    (void)fd;
    (void)what;
    gboolean well = limits_tick(policyd->limits, policyd->edge, &error);
    if (!well && !complained)
        log_warning(NULL, "limits stay as they are", LOG_GERROR(error));
    complained = !well;
    refusals_expire(policyd->refusals);
    tally_write_limits(policyd->tally);
}

/* Recorded with the next tally. */
static void on_limit(EventType type, const EdgeLimit *limit, guint64 count, gpointer data)
{
    log_info(NULL, type == EVENT_LIMIT_NEAR ? "limit is near" : "limit is reached",
             LOG_INT("limit", limit->id), LOG_TEXT("subject", limit_subject_word(limit->subject)),
             LOG_INT("count", (gint64)count), LOG_INT("max", limit->max),
             LOG_TEXT("period", limit_period_word(limit->period)));
    tally_limit(data, type, limit, count);
}

static void on_watchdog(evutil_socket_t fd, short what, void *data)
{
    (void)fd;
    (void)what;
    service_watchdog(((Running *)data)->service);
}

static gboolean serve(Running *running)
{
    static const Protocol *const protocols[] = {&auth_protocol, &policy_protocol, &map_protocol,
                                                &limit_protocol};
    static const struct timeval minute = {.tv_sec = USE_COUNT_SECONDS};
    static const struct timeval second = {.tv_sec = 1};
    static const struct timeval beat = {.tv_sec = WATCHDOG_SECONDS};
    struct event_base *base = running->policyd->base;
    Listener *listeners[G_N_ELEMENTS(protocols)] = {NULL};
    gboolean listening = TRUE;

    for (guint i = 0; i < G_N_ELEMENTS(protocols) && listening; i++) {
        g_autoptr(GError) error = NULL;
        int fd = service_listen(running->service, protocols[i]->name, &error);
        listening = fd >= 0;
        if (listening)
            listeners[i] = listener_new(base, fd, protocols[i], running->policyd);
        else
            log_error(NULL, "cannot listen", LOG_TEXT("socket", protocols[i]->name),
                      LOG_GERROR(error));
    }
    struct event *events[] = {
        event_new(base, service_signal_fd(running->service), EV_READ | EV_PERSIST, on_signal,
                  running),
        event_new(base, -1, EV_PERSIST, on_minute, running),
        event_new(base, -1, EV_PERSIST, on_watchdog, running),
        event_new(base, -1, EV_PERSIST, on_second, running),
    };
    event_add(events[0], NULL);
    event_add(events[1], &minute);
    event_add(events[2], &beat);
    event_add(events[3], &second);
    on_second(-1, 0, running);
    if (listening) {
        service_ready(running->service, "answering");
        event_base_dispatch(base);
        service_stopping(running->service);
    }
    for (guint i = 0; i < G_N_ELEMENTS(events); i++)
        event_free(events[i]);
    for (guint i = 0; i < G_N_ELEMENTS(listeners); i++)
        listener_free(listeners[i]);
    return listening;
}

int main(int argc, char **argv)
{
    static const ServiceInfo info = {
        .name = "outrider-policyd",
        .summary = "answers Postfix: SASL, access policy, lookup tables",
    };
    int status = EXIT_SUCCESS;
    g_autoptr(Service) service = service_start(&info, &argc, &argv, &status);

    if (!service)
        return status;
    const Config *config = service_config(service);
    Policyd policyd = {
        .base = event_base_new(),
        .edge = edge_open(config_string(config, CONFIG_EDGE_DIR)),
        .penalty = penalty_new(config_int(config, CONFIG_AUTH_FAILURE_DELAY),
                               config_int(config, CONFIG_AUTH_FAILURE_DELAY_MAX),
                               config_int(config, CONFIG_AUTH_PENALTY_TIME)),
        .tally = tally_new(config_string(config, CONFIG_SPOOL_DIR),
                           (guint)config_int(config, CONFIG_NODE_ID)),
        .incoming = incoming_new(config),
        .strangers = strangers_new(config),
        .refusals = refusals_new(config),
        .hostname = config_string(config, CONFIG_HOSTNAME),
        .cram = TRUE,
    };
    policyd.limits = limits_new(config_string(config, CONFIG_SPOOL_DIR),
                                (guint)config_int(config, CONFIG_NODE_ID), on_limit, policyd.tally);
    policyd.pending = pending_new(policyd.limits);
    Running running = {.service = service, .policyd = &policyd};
    status = serve(&running) ? EXIT_SUCCESS : EX_UNAVAILABLE;
    strangers_free(policyd.strangers);
    pending_free(policyd.pending);
    limits_free(policyd.limits);
    refusals_free(policyd.refusals);
    tally_free(policyd.tally);
    penalty_free(policyd.penalty);
    incoming_free(policyd.incoming);
    edge_close(policyd.edge);
    event_base_free(policyd.base);
    return status;
}
