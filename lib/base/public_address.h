/* SPDX-License-Identifier: MIT */
/*
 * Purpose: whether an address is one of the public Internet, so that what tenants name cannot lead into networks of this host.
 * Used by: lib/http, at the moment of connecting; lib/directory, for the hosts of SMTP endpoints.
 * May touch: nothing.
 * Threads: any.
 */
#pragma once

#include "lib/base/network.h"

/* FALSE: loopback, private, link-local, multicast, reserved or documentation, by special_network.def; IPv6 outside 2000::/3. What
 * carries an IPv4 address (mapped, NAT64's 64:ff9b::/96, 6to4, ISATAP) is as public as that; Teredo, compatible addresses and local
 * NAT64 are not. */
gboolean public_address(const guint8 octets[NETWORK_OCTETS]);
