/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the authoritative servers of the zone that a name is in, and whether all of them show a record.
 * Used by: the command line and the worker.
 * May touch: the resolver of a Dns, and those servers.
 * Threads: as Dns.
 * Limits: ZONE_SERVERS_MAX addresses; each is given DNS_SECONDS.
 */
#pragma once

#include "lib/dns/dns.h"

#define ZONE_SERVERS_MAX 32

/* Addresses of every server of the closest zone above or at name, g_ptr_array_unref. UNAVAILABLE: also when a server's
 * name has no address. */
GPtrArray *zone_servers(Dns *dns, const char *name, GError **error);

/* Told what each server shows: records, or NULL and why. FALSE ends the walk. */
typedef gboolean (*ZoneAnswer)(const char *server, const GPtrArray *records, const GError *why,
                               gpointer data);

/* Asks each of the zone's servers for name and type. FALSE: their list could not be had, or the walk was ended
 * (error untouched). */
gboolean zone_ask_all(Dns *dns, const char *name, DnsType type, ZoneAnswer answer, gpointer data,
                      GError **error);
