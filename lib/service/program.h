/* SPDX-License-Identifier: MIT */
/*
 * Purpose: runs another program to its end, without a shell and without this process's environment.
 * Used by: outrider-queue.
 * May touch: nothing itself.
 * Threads: any.
 * Limits: the program is ended after PROGRAM_SECONDS.
 */
#pragma once

#include <glib.h>

#define PROGRAM_SECONDS 60

/* Runs words[0], an absolute path, in / as the effective user, with a PATH of the system's own, input as its
 * standard input and no open files besides. output (may be NULL; g_free) is what it printed; what it says on
 * standard error is lost. UNAVAILABLE: it could not be started, did not end with 0, or not in time. */
gboolean program_run(const char *const *words, const char *input, char **output, GError **error);
