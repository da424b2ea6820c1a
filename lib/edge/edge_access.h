/* SPDX-License-Identifier: MIT */
/*
 * Purpose: credentials and the addresses they go with: which one a client's address is, where one may be used, and
 *     what it may send from.
 * Used by: policyd, the milter and the API, which must come to the same.
 * May touch: <edge_dir>/edge.5.db, read-only.
 * Threads: any.
 * Limits: as edge.h.
 */
#pragma once

#include "lib/base/network.h"
#include "lib/edge/edge.h"

/* The credential of type smtp-ip whose network has a client's address (as Postfix writes it) in it, by the longest
 * prefix over all servers, whatever state that credential is in. NOT_FOUND, also when it is no address, or
 * UNAVAILABLE. */
EdgeCredential *edge_credential_by_address(Edge *edge, const char *client, GError **error);

/* Why a credential cannot be used at a time (Unix seconds): "expired", "disabled"; NULL: it can. */
const char *edge_credential_unusable(const EdgeCredential *credential, gint64 now);

/* Whether a client's address (NULL or no address: no) is in a network of the credential, or that has none. FALSE:
 * UNAVAILABLE. */
gboolean edge_network_allowed(Edge *edge, const EdgeCredential *credential, const char *client,
                              gboolean *allowed, GError **error);

/* Whether the credential may send from an address: its address_form, or @ and its domain, is named, or nothing is
 * named; one with the root's dot never is. FALSE: UNAVAILABLE. */
gboolean edge_sender_allowed(Edge *edge, const EdgeCredential *credential, const char *address,
                             gboolean *allowed, GError **error);
