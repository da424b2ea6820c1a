/* SPDX-License-Identifier: MIT */
#include "policyd/incoming.h"

#include <string.h>
#include <sys/stat.h>

#include "lib/base/address.h"
#include "lib/seal/return_path.h"

struct Incoming {
    const char *return_path_domain;
    const char *route_domain; /* "": there is none */
    const char *return_label;
    char *ring_path;
    KeyRing *ring;    /* NULL: not read yet */
    struct stat read; /* of the file that it was read from */
};

Incoming *incoming_new(const Config *config)
{
    Incoming *incoming = g_new0(Incoming, 1);

    incoming->return_path_domain = config_string(config, CONFIG_RETURN_PATH_DOMAIN);
    incoming->route_domain = config_string(config, CONFIG_ROUTE_DOMAIN);
    incoming->return_label = config_string(config, CONFIG_RETURN_PATH_LABEL);
    incoming->ring_path = config_path(config, CONFIG_KEY_DIR, "return");
    return incoming;
}

void incoming_free(Incoming *incoming)
{
    if (!incoming)
        return;
    g_free(incoming->ring_path);
    ring_free(incoming->ring);
    g_free(incoming);
}

/* A new key is used by the milter at once. */
static const KeyRing *ring_now(Incoming *incoming, GError **error)
{
    struct stat now = {0};
    gboolean same = stat(incoming->ring_path, &now) == 0 && incoming->ring &&
                    now.st_ino == incoming->read.st_ino &&
                    now.st_mtim.tv_sec == incoming->read.st_mtim.tv_sec &&
                    now.st_mtim.tv_nsec == incoming->read.st_mtim.tv_nsec;

    if (same)
        return incoming->ring;
    KeyRing *ring = ring_load(incoming->ring_path, error);
    if (!ring)
        return NULL;
    ring_free(incoming->ring);
    incoming->ring = ring;
    incoming->read = now;
    return ring;
}

/* The sending domain below the label; NULL: the host is no such one. */
static const char *below_label(const Incoming *incoming, const char *host)
{
    gsize length = strlen(incoming->return_label);

    return g_str_has_prefix(host, incoming->return_label) && host[length] == '.' ? host + length + 1
                                                                                 : NULL;
}

/* domain: in canonical form. */
static gboolean is_return_host(const Incoming *incoming, Edge *edge, const char *domain,
                               gboolean *is, GError **error)
{
    const char *sending = below_label(incoming, domain);

    *is = g_str_equal(domain, incoming->return_path_domain);
    return *is || !sending || edge_return_host(edge, incoming->return_label, sending, is, error);
}

IncomingAnswer incoming_domain(const Incoming *incoming, Edge *edge, const char *domain,
                               GError **error)
{
    g_autofree char *form = address_domain_form(domain);
    gboolean is = FALSE;

    if (!form)
        return INCOMING_NOT_OURS;
    if (g_str_equal(form, incoming->route_domain))
        return INCOMING_OURS;
    if (!is_return_host(incoming, edge, form, &is, error) ||
        (!is && !edge_route_domain(edge, form, &is, error)))
        return INCOMING_LATER;
    return is ? INCOMING_OURS : INCOMING_NOT_OURS;
}

/* form: in canonical form. */
static IncomingAnswer judge_return_path(Incoming *incoming, const char *form, GError **error)
{
    const KeyRing *ring = ring_now(incoming, error);
    ReturnPath path;

    if (!ring)
        return INCOMING_LATER;
    return return_path_open(ring, form, &path, NULL) ? INCOMING_OURS : INCOMING_NOT_OURS;
}

static IncomingAnswer judge_route(const EdgeRoute *route, const char **why)
{
    if (!route || route->mode == EDGE_ROUTE_REJECT)
        return INCOMING_NOT_OURS;
    if (!route->suspended)
        return INCOMING_OURS;
    *why = "the mail server of this recipient is suspended";
    return INCOMING_LATER;
}

IncomingAnswer incoming_recipient(Incoming *incoming, Edge *edge, const char *address,
                                  const char **why, GError **error)
{
    g_autofree char *form = address_form(address);
    const char *at = form ? strrchr(form, '@') : NULL;
    g_autoptr(EdgeRoute) route = NULL;
    gboolean is = FALSE;

    *why = NULL;
    if (!at || at == form)
        return INCOMING_NOT_OURS;
    if (!is_return_host(incoming, edge, at + 1, &is, error))
        return INCOMING_LATER;
    IncomingAnswer answer = is ? judge_return_path(incoming, form, error) : INCOMING_NOT_OURS;
    if (answer != INCOMING_NOT_OURS)
        return answer;
    if (!edge_route_for_recipient(edge, form, incoming->route_domain, &route, error))
        return INCOMING_LATER;
    return judge_route(route, why);
}
