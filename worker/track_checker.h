/* SPDX-License-Identifier: MIT */
/*
 * Purpose: asks the DNS about track domains when they are due: one that waits for its record often, what is not right
 *     hourly, the rest daily.
 * Used by: the domain checker, in its thread.
 * May touch: MariaDB (track_domain), the name servers of resolv.conf.
 * Threads: the caller's.
 * Limits: one page of 20 a round; workers of other nodes share the work. Without track_host nothing is asked.
 */
#pragma once

#include "lib/config/config.h"
#include "lib/sql/sql.h"
#include "worker/rounds.h"

/* Checks what is due now, with a pause of pause_ms after each. */
gboolean track_checker_round(Sql *sql, const Config *config, Rounds *rounds, gint64 pause_ms,
                             GError **error);
