/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what somebody asks to be sent, whatever it was made of: envelope, header fields and body.
 * Used by: apid, the CLI.
 * May touch: nothing.
 * Threads: any.
 * Limits: SUBMISSION_RECIPIENTS_MAX addresses, each one message, of SUBMISSION_ADDRESSES_MAX octets in all.
 */
#pragma once

#include <glib.h>
#include <json-c/json.h>

#include "lib/admission/form.h"
#include "lib/seal/claim.h"
#include "lib/seal/token.h"

#define SUBMISSION_RECIPIENTS_MAX CLAIM_RECIPIENTS_MAX
#define SUBMISSION_ADDRESSES_MAX  FORM_ADDRESSES_MAX
#define SUBMISSION_TAG_MAX        255

/* An address of the answer, and which message it is about. */
typedef struct {
    char *written;
    guint index;
} SubmissionName;

typedef struct {
    char *mail_from;    /* "": the null sender */
    GPtrArray *rcpts;   /* of text, each another one in any case: message i is for rcpts[i] */
    gsize address_size; /* octets of these */
    GPtrArray *names;   /* of SubmissionName, in the order of the request */
    GPtrArray *fields;  /* of MimeField */
    GString *body;      /* lines end with CRLF */
    char *tag;          /* NULL: none */
    char *message_id;   /* without brackets; NULL: none */
} Submission;

/* What makes its messages the same when it is done again. */
typedef struct {
    guint64 base;
    guint8 seed[TOKEN_SEED_LENGTH];
    char message_id[128]; /* "": none */
} SubmissionNames;

Submission *submission_new(void);
void submission_free(Submission *submission);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Submission, submission_free)

/* Takes an addressee (address is its envelope address); one that is there in any case is the same message. FALSE: there are as many
 * as may be, or as many octets of them. */
gboolean submission_add(Submission *submission, const char *written, const char *address);

/* Appends its header to text, without a claim that may be in it and without the blank line. */
void submission_write_fields(const Submission *submission, GString *text);

/* Octets of the header and of all, as they stand on the wire. */
gsize submission_header_size(const Submission *submission);
gsize submission_size(const Submission *submission);

/* What is told of a success, as Postal does: message_id, and in messages id and token by each address as it was written.
 * json_object_put. */
json_object *submission_data(const Submission *submission, const SubmissionNames *names);
