/* SPDX-License-Identifier: MIT */
/*
 * Purpose: one parameter of API v1 as what it is to be, with a refusal that names it.
 * Used by: apid.
 * May touch: nothing.
 * Threads: any.
 * Limits: the caller's.
 */
#pragma once

#include <glib.h>
#include <json-c/json.h>

#include "lib/submission/addressee.h"

/* Sets an INVALID error: "`name` why". Always FALSE. */
gboolean v1_parameter_wrong(GError **error, const char *name, const char *why);

/* A text, which may be absent or null (*text NULL). Numbers and booleans are taken as they are written. FALSE: another type, a NUL
 * in it, or more than max characters (0: any number). *text is borrowed from the object. */
gboolean v1_parameter_text(json_object *object, const char *name, glong max, const char **text,
                           GError **error);

/* What Ruby takes for true: everything but false and null. */
gboolean v1_parameter_is_set(json_object *object, const char *name);

/* Whether nothing but white space is there; NULL is blank. */
gboolean v1_is_blank(const char *text);

/* The addresses of an array of texts or of one text, parted by commas; blank ones are left out. GPtrArray of Addressee that frees
 * them, at most max + 1 long: what follows is not looked at. NULL: something is no address. */
GPtrArray *v1_parameter_addresses(json_object *object, const char *name, guint max, GError **error);
