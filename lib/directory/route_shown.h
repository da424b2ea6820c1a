/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what a route's row does not say: its forward address.
 * Used by: the CLI, the API.
 * May touch: nothing.
 * Threads: any.
 */
#pragma once

#include "lib/config/config.h"
#include "lib/directory/record.h"

/* Adds "forward_address": an address at route_domain, or null when that is not set, or the route is a return path's. */
void route_show_forward(const Config *config, Record *route);
