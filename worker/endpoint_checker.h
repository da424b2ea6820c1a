/* SPDX-License-Identifier: MIT */
/*
 * Purpose: looks up the hosts of SMTP and LMTP endpoints when they are due: hourly, or after five minutes when nothing was found
 *     so far.
 * Used by: the domain checker, in its thread.
 * May touch: MariaDB (endpoint), the name servers of resolv.conf.
 * Threads: the caller's.
 * Limits: one page of 20 a round; workers of other nodes share the work.
 */
#pragma once

#include "lib/config/config.h"
#include "lib/sql/sql.h"
#include "worker/rounds.h"

/* Looks up what is due now, with a pause of pause_ms after each. */
gboolean endpoint_checker_round(Sql *sql, const Config *config, Rounds *rounds, gint64 pause_ms,
                                GError **error);
