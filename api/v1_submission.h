/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what a request asks to be sent, as both send calls come to it: envelope, header fields and body.
 * Used by: apid.
 * May touch: nothing.
 * Threads: any.
 * Limits: V1_RECIPIENTS_MAX addresses, each one message.
 */
#pragma once

#include <glib.h>

#include "api/v1_parameter.h"
#include "lib/seal/claim.h"

#define V1_RECIPIENTS_MAX CLAIM_RECIPIENTS_MAX
#define V1_TAG_MAX        255

/* An address of the answer, and which message it is about. */
typedef struct {
    char *written;
    guint index;
} V1Name;

typedef struct {
    char *mail_from;   /* "": the null sender */
    GPtrArray *rcpts;  /* of text, each another one in any case: message i is for rcpts[i] */
    GPtrArray *names;  /* of V1Name, in the order of the request */
    GPtrArray *fields; /* of MimeField */
    GString *body;     /* lines end with CRLF */
    char *tag;         /* NULL: none */
    char *message_id;  /* without brackets; NULL: none */
} V1Submission;

V1Submission *v1_submission_new(void);
void v1_submission_free(V1Submission *submission);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(V1Submission, v1_submission_free)

/* Takes an addressee (address is its envelope address); one that is there in any case is the same message. FALSE: there are as many
 * as may be. */
gboolean v1_submission_add(V1Submission *submission, const char *written, const char *address);

/* Octets of the header and of all, as they stand on the wire. */
gsize v1_submission_header_size(const V1Submission *submission);
gsize v1_submission_size(const V1Submission *submission);
