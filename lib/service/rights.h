/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what a program that must be root gives up after it has started.
 * Used by: outrider-queue.
 * May touch: this process's capabilities and groups.
 * Threads: one; before others are started.
 */
#pragma once

#include <glib.h>

/* Gives up, for good and for what it starts, every capability that is not in the set (bits, 1 << CAP_X), all
 * supplementary groups, and what set-uid programs would bring; files are made for this user alone from here on. REFUSED: one
 * cannot be given up. CAP_SETGID must be there, and CAP_SETPCAP, unless the bounding set is as narrow already, or narrower. */
gboolean rights_keep(guint64 set, GError **error);
