/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the values of one object's columns: from options, from a row, to statement parameters.
 * Used by: lib/directory.
 * May touch: nothing.
 * Threads: any.
 */
#pragma once

#include "lib/directory/directory.h"

#define FIELDS_MAX 16

/* Values by position in directory_fields(); those without a column of their own stay NULL. */
typedef struct {
    DirectoryObject object;
    Value values[FIELDS_MAX];
    gboolean switched[FIELDS_MAX]; /* options without a column that were given */
} Fields;

void fields_clear(Fields *fields);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fields, fields_clear)

/* Values of a new object called name (NULL: the name is an option). */
gboolean fields_for_add(DirectoryObject object, const char *name, const DirectoryOption *options,
                        guint n, gint64 now, Fields *fields, GError **error);

/* Values of an existing one, changed. Without any option: INVALID. */
gboolean fields_for_change(DirectoryObject object, const Record *old,
                           const DirectoryOption *options, guint n, gint64 now, Fields *fields,
                           GError **error);

/* The value of a column; NULL when there is no such column. */
Value *fields_column(Fields *fields, const char *column);

/* The value of an option without a column such as "network"; NULL: it was not given. */
const Value *fields_given(const Fields *fields, const char *option);

/* Whether a switch such as "cram-md5" was given. */
gboolean fields_switched(const Fields *fields, const char *option);

/* Writes the columns in table order to parameters (FIELDS_MAX at most); returns how many. */
guint fields_parameters(const Fields *fields, SqlParameter *parameters);
