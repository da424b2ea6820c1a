/* SPDX-License-Identifier: MIT */
/*
 * Purpose: a recipient's address as a number, the same for every way that SMTP, the journal and Postfix's log
 *     write it: quotes, case and octets that are no UTF-8 do not count.
 * Used by: mail_follower, milter_reader, queue_snapshot, reconciler.
 * May touch: nothing.
 * Threads: any.
 */
#pragma once

#include <glib.h>

/* 63 bits of SHA-256, never 0. length -1: NUL-terminated. */
guint64 recipient_key(const char *address, gssize length);
