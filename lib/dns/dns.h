/* SPDX-License-Identifier: MIT */
/*
 * Purpose: DNS as people's checks need it: what this host's resolver says, and what one given server says.
 * Used by: the command line and the worker. Not the mail path.
 * May touch: the name servers of a resolv.conf, or the server that is named.
 * Threads: a Dns belongs to one at a time.
 * Limits: an answer within DNS_SECONDS; at most DNS_RECORDS_MAX records; nothing is validated (DNSSEC).
 */
#pragma once

#include "lib/dns/record.h"

#define DNS_SECONDS     10
#define DNS_RECORDS_MAX 100
#define DNS_RESOLV_CONF "/etc/resolv.conf"

typedef struct Dns Dns;

/* A resolver of its own, with an empty cache. resolv_conf names the servers. UNAVAILABLE: no such file. */
Dns *dns_open(const char *resolv_conf, GError **error);

/* The same, that asks only the server at this address (IPv4 or IPv6), as one that is authoritative for whatever is asked. */
Dns *dns_open_server(const char *address, GError **error);

void dns_close(Dns *dns);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Dns, dns_close)

/* The records' data (record.h), g_ptr_array_unref; never empty; aliases are followed, but for CNAME. NOT_FOUND: there is
 * no such name, or it has no such record, which is an answer. UNAVAILABLE: nobody could say; INVALID: not
 * a name. */
GPtrArray *dns_lookup(Dns *dns, const char *name, DnsType type, GError **error);
