/* SPDX-License-Identifier: MIT */
/*
 * Purpose: networks that the configuration lists, and whether an address is in one of them.
 * Used by: lib/config, lib/http, lib/directory, policyd.
 * May touch: nothing.
 * Threads: any.
 * Limits: NETWORK_LIST_MAX networks in a list.
 */
#pragma once

#include "lib/base/network.h"

#define NETWORK_LIST_MAX 64

/* Networks with commas or blanks between, in valid UTF-8. GArray of Network; NULL: INVALID names the word and what is allowed. */
GArray *network_list_read(const char *text, GError **error);

/* Whether one of them has the address. */
gboolean network_list_has(const GArray *networks, const guint8 octets[NETWORK_OCTETS]);
