/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what a route may be: whose domain it is in, and which endpoints it leads to.
 * Used by: lib/directory.
 * May touch: the tables domain, endpoint, route and route_endpoint of MariaDB, in the caller's transaction.
 * Threads: one connection per thread.
 * Limits: EDGE_ROUTE_ENDPOINTS_MAX endpoints of a route (lib/edge/edge_route.h).
 */
#pragma once

#include "lib/directory/reference.h"

/* Takes the address apart, finds the domain and makes the token of a new one. NOT_FOUND: no such domain of the server or its
 * organization; REFUSED: it is not verified; EXISTS: there is such a route, whoever has it; INVALID: the fields do not
 * agree. Done twice it does nothing more. */
gboolean route_settle(Sql *sql, ReferenceOwner owner, gboolean is_new, Fields *fields,
                      GError **error);

/* Writes its endpoints if they were named or are of no use any more. NOT_FOUND: the server has no such one; INVALID: that
 * kind is not allowed there, or none is left. */
gboolean route_endpoints_write(Sql *sql, guint64 server, guint64 route, Fields *fields,
                               guint64 revision, GError **error);

/* Which routes: those of a domain, of a server, or one; 0: not by that. */
typedef struct {
    guint64 domain, server, route;
} RouteOwner;

/* Deletes what ties them to endpoints; and them, too. */
gboolean route_endpoints_forget(Sql *sql, RouteOwner owner, guint64 revision, GError **error);
gboolean routes_forget(Sql *sql, RouteOwner owner, guint64 revision, GError **error);
