/* SPDX-License-Identifier: MIT */
#include "lib/directory/endpoint_check.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/base/network.h"

typedef struct {
    guint64 id;
    const char *host;
    const char *address;
} Found;

/* What is not public of the addresses that look so (RFC 6890 and its registries). */
static const char *const special[] = {
    "0.0.0.0/8",     "10.0.0.0/8",      "100.64.0.0/10",  "127.0.0.0/8",    "169.254.0.0/16",
    "172.16.0.0/12", "192.0.0.0/24",    "192.0.2.0/24",   "192.88.99.0/24", "192.168.0.0/16",
    "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "2001::/23",      "2001:db8::/32",
    "2002::/16",     "3fff::/20",
};

static gboolean is_in(const guint8 *octets, const Network *network)
{
    return memcmp(octets, network->first, NETWORK_OCTETS) >= 0 &&
           memcmp(octets, network->last, NETWORK_OCTETS) <= 0;
}

/* IPv4 below 224.0.0.0, and IPv6 of 2000::/3. */
static gboolean is_public(const guint8 octets[NETWORK_OCTETS])
{
    static const guint8 mapped[12] = {[10] = 0xff, [11] = 0xff};
    gboolean v4 = memcmp(octets, mapped, sizeof(mapped)) == 0;

    if (v4 ? octets[12] >= 224 : octets[0] >> 5 != 1)
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(special); i++) {
        const char *wrong;
        Network network;
        g_autofree char *text = network_read(special[i], &network, &wrong);
        g_assert(text);
        if (is_in(octets, &network))
            return FALSE;
    }
    return TRUE;
}

gboolean endpoint_may_be_at(const Config *config, const char *address, GError **error)
{
    const char *text = config_string(config, CONFIG_SMTP_ENDPOINT_ALLOW);
    g_auto(GStrv) words = g_strsplit_set(text, ", \t", -1);
    guint8 octets[NETWORK_OCTETS];
    guint n = 0;

    if (!network_address(address, octets))
        return FALSE;
    gboolean may = is_public(octets);
    for (guint i = 0; words[i]; i++) {
        const char *wrong = NULL;
        Network network;
        if (!*words[i])
            continue;
        g_autofree char *canonical = network_read(words[i], &network, &wrong);
        if (!canonical || ++n > ENDPOINT_NETWORKS_MAX) {
            g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID,
                        "smtp_endpoint_allow: %s: %s", words[i],
                        canonical ? "more networks than 64" : wrong);
            return FALSE;
        }
        may |= is_in(octets, &network);
    }
    return may;
}

GPtrArray *endpoint_addresses(Dns *dns, const char *host, char **wrong)
{
    static const DnsType types[] = {DNS_A, DNS_AAAA};
    g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(g_free);
    gboolean literal = g_hostname_is_ip_address(host);
    g_autoptr(GError) why = NULL;

    if (literal)
        g_ptr_array_add(all, g_strdup(host));
    for (guint i = 0; !literal && i < G_N_ELEMENTS(types); i++) {
        g_autoptr(GPtrArray) some = NULL;
        g_clear_error(&why);
        some = dns_lookup(dns, host, types[i], &why);
        for (guint j = 0; some && j < some->len; j++)
            g_ptr_array_add(all, g_strdup(some->pdata[j]));
    }
    if (all->len > 0)
        return g_steal_pointer(&all);
    *wrong = g_strdup(why ? why->message : "it has no address");
    return NULL;
}

/* That which is in use, if it is still among them, else the first; NULL: none that is allowed. */
static gboolean choose(const Config *config, const GPtrArray *all, const char *old,
                       const char **chosen, GError **error)
{
    g_autoptr(GError) why = NULL;

    *chosen = NULL;
    for (guint i = 0; i < all->len; i++) {
        const char *address = all->pdata[i];
        if (!endpoint_may_be_at(config, address, &why)) {
            if (!why)
                continue;
            g_propagate_error(error, g_steal_pointer(&why));
            return FALSE;
        }
        if (!*chosen || g_strcmp0(address, old) == 0)
            *chosen = address;
    }
    return TRUE;
}

static gboolean do_note(Sql *sql, gpointer data, GError **error)
{
    const Found *found = data;
    guint64 revision;

    if (!sql_next_revision(sql, &revision, error))
        return FALSE;
    const SqlParameter parameters[] = {SQL_TEXT(found->address), SQL_UNSIGNED(revision),
                                       SQL_UNSIGNED(found->id), SQL_TEXT(found->host)};
    return sql_execute(sql, SQL_ENDPOINT_RESOLVED, parameters, 4, NULL, NULL, error);
}

/* When it was looked up; another worker may have done the same. */
static gboolean stamp(Sql *sql, const Record *endpoint, GError **error)
{
    const SqlParameter parameters[] = {
        SQL_INT(g_get_real_time() / G_USEC_PER_SEC), SQL_UNSIGNED(record_int(endpoint, "id")),
        record_is_null(endpoint, "resolved_at") ? SQL_NULL
                                                : SQL_INT(record_int(endpoint, "resolved_at"))};

    return sql_execute(sql, SQL_ENDPOINT_CHECK_CLAIM, parameters, 3, NULL, NULL, error);
}

gboolean endpoint_check(Sql *sql, const Config *config, Dns *dns, const Record *endpoint,
                        char **address, char **wrong, GError **error)
{
    const char *old = record_text(endpoint, "resolved");
    Found found = {.id = (guint64)record_int(endpoint, "id"),
                   .host = record_text(endpoint, "host")};
    g_autofree char *why = NULL;
    g_autoptr(GPtrArray) all = NULL;

    if (!stamp(sql, endpoint, error))
        return FALSE;
    all = endpoint_addresses(dns, found.host, &why);
    if (all && !choose(config, all, old, &found.address, error))
        return FALSE;
    if (all && !found.address)
        why = g_strdup_printf("%s is no public address and not in smtp_endpoint_allow",
                              (const char *)all->pdata[0]);
    if (found.address && g_strcmp0(found.address, old) != 0 &&
        !sql_transaction(sql, do_note, &found, error))
        return FALSE;
    *address = g_strdup(found.address ? found.address : old);
    *wrong = g_steal_pointer(&why);
    return TRUE;
}
