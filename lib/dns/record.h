/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the data of one DNS record as text: octets in, text out.
 * Used by: lib/dns.
 * May touch: nothing.
 * Threads: any.
 * Limits: names of 255 octets, uncompressed, as a resolver library hands them out.
 *
 *     A, AAAA     192.0.2.1, 2001:db8::1
 *     NS, CNAME, PTR   host.example, in lower case, without the last dot; the root is "."
 *     MX          10 host.example
 *     TXT         its strings joined; what is not printable ASCII is `?'
 */
#pragma once

#include <glib.h>

typedef enum {
#define X(NAME, number, FORM) DNS_##NAME,
#include "lib/dns/dns_type.def"
#undef X
    DNS_TYPE_COUNT
} DnsType;

/* Its number in a query, and its name. */
int dns_type_number(DnsType type);
const char *dns_type_word(DnsType type);

/* g_free. NULL: not the data of such a record. */
char *dns_record_text(DnsType type, const guint8 *data, gsize length);

/* The name that an address (IPv4 or IPv6) has its PTR record at (RFC 1035 section 3.5, RFC 3596); g_free. NULL: not an
 * address. */
char *dns_reverse_name(const char *address);
