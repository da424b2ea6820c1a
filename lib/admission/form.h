/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what a message's header and recipients may be at most, so that it can be changed, signed, journaled and handed on.
 * Used by: the milter and the API, which must come to the same.
 * May touch: nothing.
 * Threads: any.
 */
#pragma once

#include <glib.h>

#define FORM_HEADER_MAX    (1024 * 1024) /* octets */
#define FORM_FIELDS_MAX    1000   /* Postfix looks through all of them for each that we change */
#define FORM_ADDRESSES_MAX 122880 /* octets; in JSON, at two each, they fit into one record */

/* Whether a signature can name all fields (GPtrArray of MimeField) that it must cover, with those that DISPATCH adds. */
gboolean form_is_signable(const GPtrArray *fields);
