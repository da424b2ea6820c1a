/* SPDX-License-Identifier: MIT */
#include "worker/endpoint_checker.h"

#include "lib/directory/endpoint_check.h"
#include "lib/log/log.h"

static void tell(const Record *endpoint, const char *address, const char *wrong)
{
    const char *old = record_text(endpoint, "resolved");

    if (g_strcmp0(address, old) != 0)
        log_info(NULL, "endpoint is elsewhere", LOG_TEXT("endpoint", record_text(endpoint, "name")),
                 LOG_TEXT("host", record_text(endpoint, "host")), LOG_TEXT("address", address));
    else if (wrong)
        log_warning(NULL, old ? "endpoint stays where it was" : "endpoint is nowhere",
                    LOG_TEXT("endpoint", record_text(endpoint, "name")),
                    LOG_TEXT("host", record_text(endpoint, "host")), LOG_TEXT("reason", wrong));
}

gboolean endpoint_checker_round(Sql *sql, const Config *config, Rounds *rounds, gint64 pause_ms,
                                GError **error)
{
    const SqlParameter now[] = {SQL_INT(g_get_real_time() / G_USEC_PER_SEC)};
    g_autoptr(Record) due = record_list(sql, SQL_ENDPOINT_CHECK_DUE, now, 1, error);

    if (!due)
        return FALSE;
    for (gsize i = 0; i < json_object_array_length(due); i++) {
        const Record *endpoint = json_object_array_get_idx(due, i);
        g_autoptr(Dns) dns = dns_open(DNS_RESOLV_CONF, error);
        g_autofree char *address = NULL;
        g_autofree char *wrong = NULL;
        if (!dns || !endpoint_check(sql, config, dns, endpoint, &address, &wrong, error))
            return FALSE;
        tell(endpoint, address, wrong);
        if (!rounds_wait(rounds, pause_ms))
            return TRUE;
    }
    return TRUE;
}
