/* SPDX-License-Identifier: MIT */
/*
 * Purpose: DNS as people's checks need it: what this host's resolver says, and what one given server says.
 * Used by: the command line and the worker. Not the mail path.
 * May touch: the name servers of a resolv.conf, or the server that is named.
 * Threads: a Dns belongs to one at a time.
 * Limits: an answer within DNS_SECONDS; DNS_AT_ONCE questions on their way; at most DNS_RECORDS_MAX records; nothing is validated (DNSSEC).
 */
#pragma once

#include "lib/dns/record.h"

#define DNS_SECONDS     10
#define DNS_RECORDS_MAX 100
#define DNS_AT_ONCE     64
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

/* A question and what came of it: records or error, as dns_lookup gives them. */
typedef struct {
    char *name;
    DnsType type;
    GPtrArray *records;
    GError *error;
} DnsQuestion;

DnsQuestion *dns_question_new(const char *name, DnsType type);
void dns_question_free(DnsQuestion *question);

/* How many of n have ended, now and then. */
typedef void (*DnsAnswered)(guint ended, guint n, gpointer data);

/* Asks n questions side by side, each with its own time. answered: may be NULL. */
void dns_ask_all(Dns *dns, DnsQuestion *const *questions, guint n, DnsAnswered answered,
                 gpointer data);
