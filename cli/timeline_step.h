/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what happened to a message after it was accepted, by time: holds, queue ids, attempts, visits.
 * Used by: cli/timeline.c.
 * May touch: stdout.
 * Threads: one.
 */
#pragma once

#include "lib/directory/record.h"

/* start: when it was accepted (Unix microseconds), which the delay of each step counts from. */
void timeline_print_steps(const Record *message, gint64 start);
