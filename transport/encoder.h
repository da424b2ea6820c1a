/* SPDX-License-Identifier: MIT */
/*
 * Purpose: a record of named values as JSON (RFC 8259) or as a form (application/x-www-form-urlencoded), made in pieces and in the
 *     order of the calls.
 * Used by: outrider-pipe.
 * May touch: nothing.
 * Threads: one.
 * Limits: texts are valid UTF-8 and names without characters that need an escape. A form has no types: null is a name alone, lists say
 *     their name again, and values in the records of a list are called list[0][name].
 */
#pragma once

#include <glib.h>

/* Takes a piece; FALSE with error set ends the making. */
typedef gboolean (*EncoderSink)(const char *octets, gsize length, gpointer context, GError **error);

typedef struct Encoder Encoder;

Encoder *encoder_new(gboolean form, EncoderSink sink, gpointer context);
void encoder_free(Encoder *encoder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Encoder, encoder_free)

void encoder_text(Encoder *encoder, const char *name, const char *text); /* NULL: null */
void encoder_texts(Encoder *encoder, const char *name,
                   const GPtrArray *texts); /* of char *; NULL: null */
void encoder_number(Encoder *encoder, const char *name, guint64 number);
void encoder_seconds(Encoder *encoder, const char *name,
                     gint64 seconds); /* a number with a fraction, .0 */
void encoder_truth(Encoder *encoder, const char *name, gboolean truth);

/* Base64 in lines of 60 characters, each ended by LF, of octets that are added in pieces of any size. */
void encoder_octets(Encoder *encoder, const char *name);
void encoder_octets_add(Encoder *encoder, const void *octets, gsize length);
void encoder_octets_end(Encoder *encoder);

/* A list of records, with the calls above between record and record_end. */
void encoder_list(Encoder *encoder, const char *name);
void encoder_record(Encoder *encoder);
void encoder_record_end(Encoder *encoder);
void encoder_list_end(Encoder *encoder);

/* The last piece. FALSE: the sink's first error. */
gboolean encoder_end(Encoder *encoder, GError **error);
