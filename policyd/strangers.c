/* SPDX-License-Identifier: MIT */
#include "policyd/strangers.h"

#include "lib/base/network_list.h"
#include "lib/base/recent.h"
#include "policyd/window.h"

#define PERIOD_US G_TIME_SPAN_MINUTE

/* An address, or a /64. */
typedef struct {
    Window window;
    gint64 told_us; /* of its last refusal that was the first within a minute; 0: none */
} Source;

struct Strangers {
    guint64 size_max;
    guint64 rate; /* 0: any */
    GArray *except;
    Recent *sources;
};

Strangers *strangers_new(const Config *config)
{
    Strangers *strangers = g_new0(Strangers, 1);

    strangers->size_max = (guint64)config_int(config, CONFIG_MESSAGE_SIZE_MAX);
    strangers->rate = (guint64)config_int(config, CONFIG_INCOMING_RATE);
    strangers->except = config_networks(config, CONFIG_INCOMING_RATE_EXCEPT);
    strangers->sources = recent_new(STRANGERS_MAX, sizeof(Source));
    return strangers;
}

void strangers_free(Strangers *strangers)
{
    if (!strangers)
        return;
    g_array_unref(strangers->except);
    recent_free(strangers->sources);
    g_free(strangers);
}

/* As the client declared it (RFC 1870); who declares nothing is measured later. */
static gboolean is_too_large(const Strangers *strangers, const PolicyRequest *request)
{
    guint64 size;

    return g_ascii_string_to_unsigned(request->size, 10, 0, G_MAXUINT64, &size, NULL) &&
           size > strangers->size_max;
}

static gboolean is_counted(const Strangers *strangers, const PolicyRequest *request)
{
    guint8 octets[NETWORK_OCTETS];

    return strangers->rate > 0 && network_address(request->client_address, octets) &&
           !network_list_has(strangers->except, octets);
}

static gboolean is_first(Source *source, gint64 now_us)
{
    gboolean first = source->told_us == 0 || now_us - source->told_us >= PERIOD_US;

    if (first)
        source->told_us = now_us;
    return first;
}

const char *strangers_judge(Strangers *strangers, const PolicyRequest *request, gint64 now_us,
                            char **text, gboolean *first)
{
    if (is_too_large(strangers, request)) {
        *text = g_strdup_printf("5.3.4 A message here has at most %" G_GUINT64_FORMAT " octets",
                                strangers->size_max);
        *first = TRUE;
        return "552";
    }
    if (!is_counted(strangers, request))
        return NULL;
    g_autofree char *name = network_client(request->client_address);
    Source *source = recent_touch(strangers->sources, name);
    if (window_count(&source->window, now_us, PERIOD_US) < strangers->rate) {
        window_add(&source->window, now_us, PERIOD_US, 1);
        return NULL;
    }
    *text = g_strdup_printf("4.7.1 More than %" G_GUINT64_FORMAT
                            " recipients a minute from %s, try again later",
                            strangers->rate, name);
    *first = is_first(source, now_us);
    return "450";
}
