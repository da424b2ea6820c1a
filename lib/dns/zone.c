/* SPDX-License-Identifier: MIT */
#include "lib/dns/zone.h"

#include <string.h>

#include "lib/base/error.h"

/* The names of the servers of the closest zone: the first NS records on the way up. */
static GPtrArray *server_names(Dns *dns, const char *name, GError **error)
{
    for (const char *zone = name; zone; zone = strchr(zone, '.')) {
        g_autoptr(GError) why = NULL;
        if (*zone == '.')
            zone++;
        GPtrArray *names = dns_lookup(dns, *zone ? zone : ".", DNS_NS, &why);
        if (names)
            return names;
        if (!g_error_matches(why, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND)) {
            g_propagate_error(error, g_steal_pointer(&why));
            return NULL;
        }
        if (!*zone)
            break;
    }
    return dns_lookup(dns, ".", DNS_NS, error);
}

static void add_addresses(GPtrArray *servers, const GPtrArray *addresses)
{
    for (guint i = 0; addresses && i < addresses->len && servers->len < ZONE_SERVERS_MAX; i++)
        g_ptr_array_add(servers, g_strdup(addresses->pdata[i]));
}

/* A server that only has addresses of a family that this host cannot reach will say so itself. */
static gboolean find_addresses(Dns *dns, const char *name, GPtrArray *servers, GError **error)
{
    g_autoptr(GError) why = NULL;
    g_autoptr(GPtrArray) ipv4 = dns_lookup(dns, name, DNS_A, &why);
    g_autoptr(GPtrArray) ipv6 = ipv4 ? NULL : dns_lookup(dns, name, DNS_AAAA, NULL);

    if (!ipv4 && !ipv6) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE,
                    "DNS: the name server %s has no address: %s", name, why->message);
        return FALSE;
    }
    add_addresses(servers, ipv4);
    add_addresses(servers, ipv6);
    return TRUE;
}

GPtrArray *zone_servers(Dns *dns, const char *name, GError **error)
{
    g_autoptr(GPtrArray) names = server_names(dns, name, error);
    g_autoptr(GPtrArray) servers = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; names && i < names->len; i++)
        if (!find_addresses(dns, names->pdata[i], servers, error))
            return NULL;
    return names ? g_steal_pointer(&servers) : NULL;
}

static GPtrArray *ask_one(const char *server, const char *name, DnsType type, GError **error)
{
    g_autoptr(Dns) dns = dns_open_server(server, error);

    return dns ? dns_lookup(dns, name, type, error) : NULL;
}

gboolean zone_ask_all(Dns *dns, const char *name, DnsType type, ZoneAnswer answer, gpointer data,
                      GError **error)
{
    g_autoptr(GPtrArray) servers = zone_servers(dns, name, error);

    for (guint i = 0; servers && i < servers->len; i++) {
        g_autoptr(GError) why = NULL;
        g_autoptr(GPtrArray) records = ask_one(servers->pdata[i], name, type, &why);
        if (!answer(servers->pdata[i], records, why, data))
            return FALSE;
    }
    return servers != NULL;
}
