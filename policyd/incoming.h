/* SPDX-License-Identifier: MIT */
/*
 * Purpose: which domains and recipients this installation takes mail in for: the answers to Postfix's relay_domains and
 *     relay_recipient_maps.
 * Used by: policyd's map edge.
 * May touch: the replicas, through lib/edge; <key_dir>/return, read-only.
 * Threads: one.
 * Limits: as lib/edge/edge_route.h.
 *
 * Ours are domains with routes, the domain of forward addresses, and the hosts of return paths. A return path is taken by its
 * MAC, so that what is made up is refused at RCPT; when the keys cannot be read it waits, as it may be a real one.
 */
#pragma once

#include "lib/config/config.h"
#include "lib/edge/edge_route.h"

typedef struct Incoming Incoming;

typedef enum { INCOMING_OURS, INCOMING_NOT_OURS, INCOMING_LATER } IncomingAnswer;

/* config must outlive it. */
Incoming *incoming_new(const Config *config);
void incoming_free(Incoming *incoming);

/* A bare domain, in any case. */
IncomingAnswer incoming_domain(const Incoming *incoming, Edge *edge, const char *domain,
                               GError **error);

/* A whole address, in any case. NOT_OURS is also what a route refuses, and what is no address; LATER, with *why (static): its
 * server is suspended. */
IncomingAnswer incoming_recipient(Incoming *incoming, Edge *edge, const char *address,
                                  const char **why, GError **error);
