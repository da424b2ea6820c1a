/* SPDX-License-Identifier: MIT */
/*
 * Purpose: how an attempt ends: one line for Postfix, and an exit status. Whatever ends it from outside is 75.
 * Used by: outrider-pipe, outrider-piped.
 * May touch: standard output, the link to who waits for the status, signals and the alarm of the process.
 * Threads: one.
 * Limits: PIPE_END_SECONDS for all of it; Postfix bounces what takes longer than its own limit.
 */
#pragma once

#include <glib.h>

#define PIPE_END_SECONDS 120

/* From now on signals that end a process, and so many seconds, end it with 75 and a line. SIGPIPE and SIGXFSZ do nothing. */
void pipe_end_on_signals(guint seconds);

/* The status goes there, too, in one octet; and when the other side closes it, it is over and nobody is told. */
void pipe_end_link(int link);

/* In one piece, and nothing behind it: neither destructors nor a signal change the outcome any more. */
G_NORETURN void pipe_end(int status, const char *line);
