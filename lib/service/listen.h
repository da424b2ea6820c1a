/* SPDX-License-Identifier: MIT */
/*
 * Purpose: listening sockets at the places that a daemon's option names.
 * Used by: the daemons of api/.
 * May touch: those addresses and paths.
 * Threads: call from main before other threads start.
 */
#pragma once

#include "lib/httpd/listen_at.h"

/* A socket of that place that the service manager handed over, or a new one. A UNIX socket is 0666, as whoever reaches its
 * directory may ask what others may over the network; a stale one is replaced, a live one CONFLICT. An IPv6 address is for
 * IPv6 alone. Non-blocking and close-on-exec, or -1 with an error that names the place. */
int service_listen_at(const ListenAt *at, GError **error);
