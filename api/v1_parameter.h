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

#include "lib/mime/mailbox.h"

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

/* One addressee. */
typedef struct {
    char *
        written; /* the address as the client wrote it, without name and brackets: its key in the answer */
    char *address; /* as the envelope has it: the domain in A-labels and lower case */
    char *mailbox; /* all that the client wrote */
} V1Address;

void v1_address_free(V1Address *address);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(V1Address, v1_address_free)

/* Reads one mailbox. NULL: it is none, or more than one. */
V1Address *v1_address_read(const char *text);

/* The addresses of an array of texts or of one text, parted by commas; blank ones are left out. GPtrArray of V1Address that frees
 * them, at most max + 1 long: what follows is not looked at. NULL: something is no address. */
GPtrArray *v1_parameter_addresses(json_object *object, const char *name, guint max, GError **error);
