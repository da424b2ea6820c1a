/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what lies in a journal's directory: segments, the epoch, the committed number.
 * Used by: lib/journal only.
 * May touch: <spool>/journal/<program>.
 * Threads: any.
 *
 * `committed' holds one 64-bit number, mapped by writer and readers: the last record that is durable.
 * Readers go no further, so a record whose writing failed is never seen, however briefly it was there.
 */
#pragma once

#include <glib.h>

typedef _Atomic guint64 FolderCommitted;

/* <spool>/journal/<program>; g_free. */
char *folder_path(const char *spool_dir, const char *program);

/* First record numbers of the segments, rising; GArray of guint64. NOT_FOUND when there is no journal. */
GArray *folder_segments(const char *path, GError **error);

/* The path of the segment that starts at first; g_free. */
char *folder_segment_path(const char *path, guint64 first);

/* Maps `committed'; the writer makes it. Unmap with folder_unmap. */
FolderCommitted *folder_map_committed(const char *path, gboolean writable, GError **error);
void folder_unmap(FolderCommitted *committed);

/* Makes `epoch' when there is none. */
gboolean folder_ensure_epoch(const char *path, GError **error);

/* Makes names in the directory durable. */
gboolean folder_sync(const char *path, GError **error);
