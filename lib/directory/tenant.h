/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what an administrator may have the directory say, and a tenant may not: endpoints that lead into networks which only this
 *     host can reach.
 * Used by: the API, for tokens that have an owner.
 * May touch: nothing.
 * Threads: any.
 *
 *     url     not a host that is an address neither public nor in http_allow; names are judged when they are asked
 *     smtp    not a host that is an address neither public nor in smtp_endpoint_allow; names are looked up, and judged, by the worker
 *     lmtp    no socket; else as smtp
 */
#pragma once

#include "lib/config/config.h"
#include "lib/directory/directory.h"

/* REFUSED: "FIELD: why". What is no valid value passes: who reads it says so. */
gboolean tenant_may(const Config *config, DirectoryObject object, const DirectoryOption *options,
                    guint n, GError **error);
