/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what happened to a message, for people: who handed it in, from where, what it was signed with,
 *     which way it took and what the other side said; and what is not known, or not yet.
 * Used by: the explain command.
 * May touch: stdout.
 * Threads: one.
 */
#pragma once

#include "lib/directory/record.h"

/* A message with its `submission`, `address` or `smarthost` (of its lane), `copies`, `deliveries`, `tracking` and
 * `visits`. */
void timeline_print_message(const Record *message);

/* A submission that Postfix splits, with its `messages`, a line for each. */
void timeline_print_submission(const Record *submission);

void timeline_print_refusal(const Record *refusal);
