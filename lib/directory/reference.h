/* SPDX-License-Identifier: MIT */
/*
 * Purpose: fields that name other objects (a pool, a smart host, an owner): from name to id, and whether whose
 *     object it is may use them; and fields that must agree with one another.
 * Used by: lib/directory.
 * May touch: MariaDB, by reading, in the caller's transaction.
 * Threads: one connection per thread.
 * Limits: REFERENCE_RULES_MAX rules an owner; a server REFERENCE_ENDPOINTS_MAX endpoints and REFERENCE_ROUTES_MAX routes.
 */
#pragma once

#include "lib/directory/field.h"

#define REFERENCE_RULES_MAX     1000
#define REFERENCE_ENDPOINTS_MAX 10000
#define REFERENCE_ROUTES_MAX    10000

/* Whose the object is; 0: nobody's, or a server that is only now made. */
typedef struct {
    guint64 organization;
    guint64 server;
} ReferenceOwner;

/* Puts ids in the place of names. NOT_FOUND: no such object; REFUSED: the owner may not use it, or has
 * as many already as it may; INVALID: the fields do not agree. */
gboolean reference_resolve(Sql *sql, ReferenceOwner owner, gboolean is_new, Fields *fields,
                           GError **error);
