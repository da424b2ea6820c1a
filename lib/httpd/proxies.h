/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the proxies whose word counts, and whom they say a request is from.
 * Used by: lib/httpd and the daemons that stand on it; the fuzzer.
 * May touch: nothing.
 * Threads: a list is never changed; share it.
 * Limits: PROXIES_MAX networks; of a field the PROXIES_HOPS_MAX rightmost addresses are looked at.
 *
 * A client may send any field itself. So only the one field counts that the proxy sets, only behind a listed proxy, and it
 * is read from its right end: the first address there that is no listed proxy's is the client.
 */
#pragma once

#include <glib.h>

#define PROXIES_MAX      64
#define PROXIES_HOPS_MAX 32

typedef struct Proxies Proxies;

typedef enum { PROXIES_X_FORWARDED_FOR, PROXIES_FORWARDED } ProxiesField;

/* Reads addresses and networks, separated by commas or blanks; `unix' is whoever connects over a UNIX socket. "" lists nobody.
 * INVALID names the word. */
Proxies *proxies_read(const char *text, ProxiesField field, GError **error);
void proxies_free(Proxies *proxies);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Proxies, proxies_free)

/* The name of the field that counts: "X-Forwarded-For" or "Forwarded" (RFC 7239). */
const char *proxies_field(const Proxies *proxies);

/* Whether a peer is one of them; "" is a UNIX socket's. */
gboolean proxies_has(const Proxies *proxies, const char *peer);

/* The address that a request is from, in canonical form: peer, unless that is a listed proxy and value (the field's, several
 * joined by commas; may be NULL) says another. "" is a UNIX socket's peer of which nobody says more. g_free. */
char *proxies_client(const Proxies *proxies, const char *peer, const char *value);
