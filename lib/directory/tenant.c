/* SPDX-License-Identifier: MIT */
#include "lib/directory/tenant.h"

#include "lib/base/error.h"
#include "lib/base/network_list.h"
#include "lib/base/public_address.h"
#include "lib/directory/endpoint_check.h"

#define NOT_PUBLIC "is no public address, nor one that the administrator allows"

static gboolean forbid(const char *field, const char *why, GError **error)
{
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_REFUSED, "%s: %s", field, why);
    return FALSE;
}

/* host is an address. */
static gboolean may_be_asked(const Config *config, const char *host)
{
    g_autoptr(GArray) allowed = config_networks(config, CONFIG_HTTP_ALLOW);
    guint8 octets[NETWORK_OCTETS];

    return network_address(host, octets) &&
           (public_address(octets) || network_list_has(allowed, octets));
}

static gboolean url_may(const Config *config, const char *field, const char *text, GError **error)
{
    g_autofree char *host = NULL;

    g_uri_split(text, G_URI_FLAGS_ENCODED, NULL, NULL, &host, NULL, NULL, NULL, NULL, NULL);
    return !host || !g_hostname_is_ip_address(host) || may_be_asked(config, host) ||
           forbid(field, NOT_PUBLIC, error);
}

/* Where a name leads is judged when it is looked up. */
static gboolean host_may(const Config *config, const char *field, const char *host, GError **error)
{
    return !g_hostname_is_ip_address(host) || endpoint_may_be_at(config, host) ||
           forbid(field, NOT_PUBLIC, error);
}

static gboolean smtp_may(const Config *config, const char *field, const char *text, GError **error)
{
    g_auto(Value) place = {0};

    return !value_read(VALUE_SMTP_PLACE, field, text, 0, &place, NULL) ||
           host_may(config, field, place.text, error);
}

static gboolean lmtp_may(const Config *config, const char *field, const char *text, GError **error)
{
    g_auto(Value) place = {0};

    if (!value_read(VALUE_LMTP_PLACE, field, text, 0, &place, NULL))
        return TRUE;
    if (place.text[0] == '/')
        return forbid(field, "sockets are the administrator's", error);
    return host_may(config, field, place.text, error);
}

static const struct {
    DirectoryObject object;
    const char *option;
    gboolean (*may)(const Config *config, const char *field, const char *text, GError **error);
} rules[] = {
    {DIRECTORY_ENDPOINT, "url", url_may},
    {DIRECTORY_ENDPOINT, "smtp", smtp_may},
    {DIRECTORY_ENDPOINT, "lmtp", lmtp_may},
};

gboolean tenant_may(const Config *config, DirectoryObject object, const DirectoryOption *options,
                    guint n, GError **error)
{
    for (guint i = 0; i < n; i++)
        for (guint r = 0; r < G_N_ELEMENTS(rules); r++)
            if (rules[r].object == object && g_str_equal(rules[r].option, options[i].option) &&
                options[i].text && !rules[r].may(config, options[i].option, options[i].text, error))
                return FALSE;
    return TRUE;
}
