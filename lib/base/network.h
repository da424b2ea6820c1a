/* SPDX-License-Identifier: MIT */
/*
 * Purpose: addresses of clients, and networks that they may lie in, as octets that compare: 16 of them, IPv4 as
 *     the IPv4-mapped address ::ffff:a.b.c.d, so that it does not matter how a client's address is told.
 * Used by: lib/base, lib/directory, policyd, apid, lib/edge's callers on the mail path.
 * May touch: nothing.
 * Threads: any.
 * Limits: a network of at most NETWORK_TEXT_MAX characters, not wider than /8 (IPv4) or /16 (IPv6).
 */
#pragma once

#include <glib.h>
#include <sys/socket.h>

#define NETWORK_OCTETS   16
#define NETWORK_BITS     128
#define NETWORK_TEXT_MAX 49
#define NETWORK_V4_MIN   8
#define NETWORK_V6_MIN   16
#define NETWORK_V4_AT    12 /* where octets have an IPv4 address */

/* What stands before it. */
extern const guint8 network_v4_prefix[NETWORK_V4_AT];

typedef struct {
    guint8 first[NETWORK_OCTETS];
    guint8 last[NETWORK_OCTETS];
    guint length; /* of the prefix, in bits of the 128 */
} Network;

/* Reads a client's address, IPv4 or IPv6. FALSE (octets untouched): it is none. */
gboolean network_address(const char *text, guint8 octets[NETWORK_OCTETS]);

/* The same from a socket's. FALSE (octets untouched): it is of another family. */
gboolean network_socket_address(const struct sockaddr *address, guint8 octets[NETWORK_OCTETS]);

/* An address as text, in canonical form; g_free. */
char *network_address_text(const guint8 octets[NETWORK_OCTETS]);

/* Reads a network in CIDR notation (RFC 4632; RFC 4291 §2.3); an address alone is a network of one. Returns its
 * canonical text, with the prefix length (g_free); or NULL (network untouched) and *wrong, static. */
char *network_read(const char *text, Network *network, const char **wrong);

/* The network of a prefix length (0 to NETWORK_BITS) that an address is in. */
void network_around(const guint8 address[NETWORK_OCTETS], guint length, Network *network);

gboolean network_has(const Network *network, const guint8 octets[NETWORK_OCTETS]);

/* Who counts as one client: an IPv4 address as it is, the /64 of an IPv6 address, "unknown" for anything else; g_free. */
char *network_client(const char *address);
