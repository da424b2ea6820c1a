/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what an HTTP endpoint is sent of a message: the fields that Postal's have, in their order.
 * Used by: outrider-pipe.
 * May touch: nothing.
 * Threads: any.
 * Limits: texts as in lib/mime/read.h; a subject of PAYLOAD_SUBJECT_MAX characters. Files and the whole message are handed on in pieces.
 */
#pragma once

#include "lib/base/source.h"
#include "lib/edge/edge_route.h"
#include "transport/encoder.h"

#define PAYLOAD_SUBJECT_MAX 200
#define PAYLOAD_JSON        "application/json"
#define PAYLOAD_FORM        "application/x-www-form-urlencoded"

typedef struct {
    guint64 id;
    const char *token;
    const char *sender; /* "": the null sender */
    const char *recipient;
    gboolean bounce;     /* it came to a return path */
    const GString *head; /* of lib/mime/read.h */
    Source *octets;      /* all of it */
} PayloadMessage;

/* Hands the sink the body of the request that the endpoint asks for: JSON or a form, the message's parts or all its octets. FALSE:
 * the sink's error, or the message could not be read to its end. */
gboolean payload_make(const EdgeEndpoint *endpoint, const PayloadMessage *message, EncoderSink sink,
                      gpointer context, GError **error);
