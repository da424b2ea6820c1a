/* SPDX-License-Identifier: MIT */
/*
 * Purpose: lets work in until the end begins, and then waits for the work that is inside.
 * Used by: the milter, whose library ends without waiting for its threads.
 * May touch: nothing.
 * Threads: any.
 */
#pragma once

#include <glib.h>

typedef struct {
    GMutex lock;
    GCond left;
    guint inside;
    gboolean closed;
} Gate; /* starts zeroed, as static */

/* TRUE: the caller is inside and must leave. FALSE: closed. */
gboolean gate_enter(Gate *gate);
void gate_leave(Gate *gate);

/* Lets nobody in any more and waits at most seconds for those inside; FALSE when some still are. */
gboolean gate_close(Gate *gate, guint seconds);
