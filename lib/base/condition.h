/* SPDX-License-Identifier: MIT */
/*
 * Purpose: conditions on mail addresses, as rules have them: "boss@acme.test,partner.test". One with an @ is
 *     an address, any other a domain (without what is below it).
 * Used by: lib/directory, which keeps them; the milter, which asks.
 * May touch: nothing.
 * Threads: any.
 * Limits: CONDITION_MAX conditions, ADDRESS_MAX octets each.
 *
 * Both sides are compared in one form: the domain as in lib/base/address.h, the local part in lower case, beyond ASCII
 * too, and without its +tag.
 */
#pragma once

#include <glib.h>

#define CONDITION_MAX 100

/* The list in that form, in its order, without repetition; g_free. NULL: *wrong says (static) what is
 * allowed. */
char *condition_list_read(const char *text, const char **wrong);

/* What a condition has to be to hold for an address: g_free both. FALSE (both untouched): there is none, as it
 * is NULL or has no @. */
gboolean condition_keys(const char *address, char **whole, char **domain);

/* Whether one of a list that was read holds for an address. list NULL, and an address without @: none does. */
gboolean condition_list_match(const char *list, const char *address);
