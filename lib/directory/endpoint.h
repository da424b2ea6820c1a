/* SPDX-License-Identifier: MIT */
/*
 * Purpose: which fields an endpoint of each kind has, and what becomes of routes when one goes.
 * Used by: lib/directory.
 * May touch: the tables endpoint, route and route_endpoint of MariaDB, in the caller's transaction.
 * Threads: one connection per thread.
 */
#pragma once

#include "lib/directory/field.h"

/* Fills in the kind and what was not said. INVALID: options of several kinds, or of another one than it has. Done
 * twice it does nothing more. */
gboolean endpoint_settle(gboolean is_new, Fields *fields, GError **error);

/* EXISTS: another endpoint of the server sends on to the same address. */
gboolean endpoint_check_address(Sql *sql, guint64 server, guint64 id, Fields *fields,
                                GError **error);

/* Routes that lead to it, also those that lead to others besides, lose their endpoints and refuse mail. */
gboolean endpoint_release(Sql *sql, guint64 id, guint64 revision, GError **error);

/* Deletes those of a server. */
gboolean endpoints_forget(Sql *sql, guint64 server, guint64 revision, GError **error);
