/* SPDX-License-Identifier: MIT */
/*
 * Purpose: one attempt: a command line of outrider-pipe, a message on standard input, and the end of the process.
 * Used by: outrider-piped.
 * May touch: as transport/post.h; the log.
 * Threads: one.
 * Limits: those of transport/pipe_end.h.
 */
#pragma once

#include "lib/config/config.h"

/* With a configuration that is loaded, or (NULL) with the one that the command line names. Whoever calls has signals in place. */
G_NORETURN void pipe_once(const Config *config, char *const *argv);
