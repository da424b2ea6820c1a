/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what a valid address of a route, URL, place of a mail host, ... is: the fields of routes and endpoints.
 * Used by: lib/directory/value.c; lib/directory, where a place is taken apart.
 * May touch: nothing.
 * Threads: any.
 * Limits: a local part of VALUE_ROUTE_NAME_MAX octets, a URL of HTTP_URL_MAX, the path of a socket of VALUE_SOCKET_MAX.
 */
#pragma once

#include "lib/directory/value.h"

#define VALUE_ROUTE_NAME_MAX 64
#define VALUE_SOCKET_MAX     107 /* sun_path, unix(7) */

/* Whether value_route_read reads that kind. */
gboolean value_is_route(ValueKind kind);

/* As value_read, of text that it has checked. A place's port goes to number (0: none was given), its host to text. NULL, or
 * what is allowed (static) and value untouched. */
const char *value_route_read(ValueKind kind, const char *text, Value *value);
