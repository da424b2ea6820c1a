/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the DNS records that an admin should publish for a domain and for the installation.
 * Used by: the CLI.
 * May touch: MariaDB, by reading.
 * Threads: one connection per thread.
 */
#pragma once

#include "lib/config/config.h"
#include "lib/directory/record.h"

/* Array of {"name", "type", "value"} for a domain of the directory: SPF, one TXT per DKIM key, the
 * custom return path's CNAME, advice on DMARC, and what proves an unverified one. */
Record *publish_domain(Sql *sql, const Config *config, const Record *domain, GError **error);

/* Adds the TXT record of one key (directory_key_list) of a domain to such an array. */
void publish_key(Record *list, const Record *key, const char *domain);

/* The same for the return-path domain: MX to this host, SPF with every pool address, DKIM keys of the
 * installation, and A and AAAA of each HELO name. */
Record *publish_installation(Sql *sql, const char *return_path_domain, const char *hostname,
                             GError **error);

/* A TXT value as zone files want it: quoted strings of at most 255 octets (RFC 1035 §3.3.14). g_free. */
char *publish_txt(const char *value);
