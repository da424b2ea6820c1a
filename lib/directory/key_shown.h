/* SPDX-License-Identifier: MIT */
/*
 * Purpose: whether the DNS shows a DKIM key: to whom asks a resolver, at every authoritative server, or at none.
 * Used by: lib/directory.
 * May touch: name servers.
 * Threads: one.
 * Limits: as inquiry.h; KEY_SHOWN_ALIASES_MAX aliases, ZONE_SERVERS_MAX servers of a zone.
 *
 * The record may stand in another zone, behind aliases.
 */
#pragma once

#include "lib/directory/dns_finding.h"
#include "lib/directory/inquiry.h"
#include "lib/directory/record.h"

#define KEY_SHOWN_ALIASES_MAX 5

/* key: with algorithm and public_key. name: where its record is to be. Each returns a finding to be cleared. */
DnsFinding key_shown_by_resolver(Inquiry *inquiry, const Record *key, const char *name);

/* OK: each server of each zone on the way shows its part; else what one of them shows, or does not. */
DnsFinding key_shown_everywhere(Inquiry *inquiry, const Record *key, const char *name);

/* MISSING: each server of the zone at the end of the way has answered, and none holds this key there. OK: one does, or
 * it could not be told apart. UNKNOWN: not all were asked, or have answered. */
DnsStatus key_shown_nowhere(Inquiry *inquiry, const Record *key, const char *name);
