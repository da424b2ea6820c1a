/* SPDX-License-Identifier: MIT */
/*
 * Purpose: changes of a message's header, noted for Postfix and made in our own list of fields at once.
 * Used by: the milter.
 * May touch: nothing.
 * Threads: any.
 */
#pragma once

#include <glib.h>

typedef enum { EDIT_INSERT, EDIT_APPEND, EDIT_CHANGE, EDIT_REMOVE } EditKind;

/* One change, in the order in which it is made. */
typedef struct {
    EditKind kind;
    char *name;
    guint nth;   /* CHANGE, REMOVE: which of that name, from 1 */
    char *value; /* with its leading space; NULL for REMOVE */
} Edit;

/* An empty list, a GPtrArray of Edit that frees them. */
GPtrArray *edits_new(void);

/* Each notes an edit and makes it in fields (GPtrArray of MimeField) too. Names and values are copied. */

/* On top (Postfix's own Received, which we never see, stays above), or below all others. */
void edit_insert(GPtrArray *edits, GPtrArray *fields, const char *name, const char *value);
void edit_append(GPtrArray *edits, GPtrArray *fields, const char *name, const char *value);

/* The nth (from 1) of that name, which must be there. */
void edit_change(GPtrArray *edits, GPtrArray *fields, const char *name, guint nth,
                 const char *value);
void edit_remove(GPtrArray *edits, GPtrArray *fields, const char *name, guint nth);

/* All of that name, or of those names, from the last to the first, so that the numbers of the others stay. */
void edit_remove_all(GPtrArray *edits, GPtrArray *fields, const char *name);
void edit_remove_those(GPtrArray *edits, GPtrArray *fields, gboolean (*these)(const char *name));
