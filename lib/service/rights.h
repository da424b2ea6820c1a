/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what a program that must be root gives up after it has started, for good or for a while.
 * Used by: outrider-queue.
 * May touch: this process's capabilities, groups and effective user.
 * Threads: one; before others are started.
 */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* Gives up, for good and for what it starts, every capability that is not in the set (bits, 1 << CAP_X), all
 * supplementary groups, and what set-uid programs would bring; files are made for this user alone from here on. REFUSED: one
 * cannot be given up. CAP_SETGID must be there, and CAP_SETPCAP, unless the bounding set is as narrow already, or narrower. */
gboolean rights_keep(guint64 set, GError **error);

/* Has the process read and write as this user and group, until it becomes another (0: root again, which needs
 * CAP_SETUID and CAP_SETGID to have been kept). The program ends if that cannot be. */
void rights_become(uid_t uid, gid_t gid);
