/* SPDX-License-Identifier: MIT */
/*
 * Purpose: looks up where the host of an SMTP or LMTP endpoint is, and notes the address that mail then goes to.
 * Used by: the CLI, the worker.
 * May touch: name servers; the table endpoint of MariaDB. No transaction is open while it waits for the DNS.
 * Threads: one connection per thread.
 * Limits: two questions, each of DNS_SECONDS; NETWORK_LIST_MAX networks in smtp_endpoint_allow.
 *
 * Mail of a tenant must not reach what only this host can reach. So an address has to be a public one, or in a network that the
 * option smtp_endpoint_allow names. What was found last stays while the DNS says nothing, or nothing that is allowed.
 */
#pragma once

#include "lib/config/config.h"
#include "lib/directory/record.h"
#include "lib/dns/dns.h"

/* Whether an address may be an endpoint's. */
gboolean endpoint_may_be_at(const Config *config, const char *address);

/* What a host's name leads to, both families, or the address that it is. NULL: nothing, and *wrong (g_free) says why. */
GPtrArray *endpoint_addresses(Dns *dns, const char *host, char **wrong);

/* An endpoint's row: "id", "host", "resolved", "resolved_at", as directory_show and ENDPOINT_CHECK_DUE give it. Looks its host
 * up; *address (g_free) is where mail goes from now on, NULL: nowhere. *wrong (g_free, NULL: nothing) says in words why the
 * DNS did not give it. An error is one of MariaDB. */
gboolean endpoint_check(Sql *sql, const Config *config, Dns *dns, const Record *endpoint,
                        char **address, char **wrong, GError **error);
