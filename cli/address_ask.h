/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what the checks of addresses ask the DNS, asked side by side: however many addresses there are and whoever
 *     does not answer, it takes as long as a few questions do.
 * Used by: cli/address.
 * May touch: the host's resolver.
 * Threads: the caller's.
 * Limits: as lib/dns/dns.h.
 */
#pragma once

#include "cli/address_check.h"

/* A question and its answer under each "TYPE name". */
typedef GHashTable AddressAnswers;

/* Asks all that address_check needs for the addresses of a list, each question once. progress: it is shown on a
 * terminal. g_hash_table_unref. UNAVAILABLE: there is no resolver. */
AddressAnswers *address_ask(Record *addresses, gboolean progress, GError **error);

/* The answer to one of them, as an AddressLookup; data: AddressAnswers. */
GPtrArray *address_answer(const char *name, DnsType type, gpointer data, GError **error);
