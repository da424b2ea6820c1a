/* SPDX-License-Identifier: MIT */
/*
 * Purpose: values that are lists, their items separated by commas: networks, sender addresses, domains of links,
 *     endpoints.
 * Used by: lib/directory.
 * May touch: nothing.
 * Threads: any.
 * Limits: VALUE_LIST_MAX items; as text VALUE_TEXT_MAX octets.
 */
#pragma once

#include "lib/directory/value.h"

#define VALUE_LIST_MAX 32

/* Whether a kind of value is a list. */
gboolean value_is_list(ValueKind kind);

/* Reads a list, or none (NULL), as value_read does: each item in its canonical form, none twice. The error names
 * the item. */
gboolean value_list_read(ValueKind kind, const char *field, const char *text, Value *value,
                         GError **error);
