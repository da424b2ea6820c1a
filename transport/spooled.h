/* SPDX-License-Identifier: MIT */
/*
 * Purpose: octets that are written once, in order, and then read: few in memory, many in a file without a name, which is gone with the
 *     process, however that ends.
 * Used by: outrider-pipe.
 * May touch: <spool_dir>/pipe.
 * Threads: one.
 * Limits: SPOOLED_MEMORY octets in memory.
 */
#pragma once

#include "lib/base/source.h"

#define SPOOLED_MEMORY (256 * 1024)

typedef struct Spooled Spooled;

Spooled *spooled_new(const char *directory);
void spooled_free(Spooled *spooled);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Spooled, spooled_free)

/* NO_SPACE or IO. */
gboolean spooled_add(Spooled *spooled, const void *octets, gsize length, GError **error);

/* Adds what a descriptor gives up to its end. TOO_LARGE: more than max octets. */
gboolean spooled_read(Spooled *spooled, int fd, gsize max, GError **error);

/* All of it, as long as it is not added to. */
Source spooled_source(const Spooled *spooled);
