/* SPDX-License-Identifier: MIT */
#include "lib/directory/endpoint_check.h"

#include "lib/base/network_list.h"
#include "lib/base/public_address.h"

typedef struct {
    guint64 id;
    const char *host;
    const char *address;
} Found;

gboolean endpoint_may_be_at(const Config *config, const char *address)
{
    guint8 octets[NETWORK_OCTETS];
    g_autoptr(GArray) allowed = config_networks(config, CONFIG_SMTP_ENDPOINT_ALLOW);

    return network_address(address, octets) &&
           (public_address(octets) || network_list_has(allowed, octets));
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
static const char *choose(const Config *config, const GPtrArray *all, const char *old)
{
    const char *chosen = NULL;

    for (guint i = 0; i < all->len; i++) {
        const char *address = all->pdata[i];
        if (endpoint_may_be_at(config, address) && (!chosen || g_strcmp0(address, old) == 0))
            chosen = address;
    }
    return chosen;
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
    if (all)
        found.address = choose(config, all, old);
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
