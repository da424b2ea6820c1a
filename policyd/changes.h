/* SPDX-License-Identifier: MIT */
/*
 * Purpose: which limits were counted last, in order, so that whoever asks is told what changed since it asked.
 * Used by: policyd's limits.
 * May touch: nothing.
 * Threads: one.
 * Limits: one entry a limit, for as long as the limit exists.
 */
#pragma once

#include <glib.h>

typedef struct Changes Changes;

Changes *changes_new(void);
void changes_free(Changes *changes);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Changes, changes_free)

/* A limit has changed: it is the newest. */
void changes_note(Changes *changes, guint32 limit);
void changes_forget(Changes *changes, guint32 limit);

/* The number of the newest change; 0: there was none. */
guint64 changes_newest(const Changes *changes);

/* Calls func with the limits that changed after a change, each once, the one that has been waiting longest
 * first, until it returns FALSE. Returns the number to go on from. func may note and forget nothing. */
guint64 changes_each(const Changes *changes, guint64 after,
                     gboolean (*func)(guint32 limit, gpointer data), gpointer data);
