/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the addresses that this host has.
 * Used by: `outrider postfix apply' and `outrider pool check'.
 * May touch: the kernel's list of interfaces.
 * Threads: one.
 */
#pragma once

#include <glib.h>

/* A set of text, as inet_ntop writes it, whatever the state of the interface; g_hash_table_unref. UNAVAILABLE. */
GHashTable *host_addresses(GError **error);
