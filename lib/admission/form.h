/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what a message's header may be at most, so that it can be changed, signed and handed on.
 * Used by: the milter and the API, which must come to the same.
 * May touch: nothing.
 * Threads: any.
 */
#pragma once

#include <glib.h>

#define FORM_HEADER_MAX (1024 * 1024) /* octets */
#define FORM_ADDRESSES_MAX                                                                         \
    122880 /* octets of all recipients: in JSON, where a quote takes two, they fit into a record of the journal */
#define FORM_FIELDS_MAX 1000 /* Postfix looks through all of them for each that we change */

/* Whether a signature can name all fields (GPtrArray of MimeField) that it must cover, with those that DISPATCH adds. */
gboolean form_is_signable(const GPtrArray *fields);
