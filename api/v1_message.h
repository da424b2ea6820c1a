/* SPDX-License-Identifier: MIT */
/*
 * Purpose: send/message: its parameters (Postal's) as a struct, and the message that they make.
 * Used by: apid.
 * May touch: nothing.
 * Threads: any.
 * Limits: V1_LIST_MAX addresses in each list, a tag of V1_TAG_MAX, a file's name of V1_FILE_NAME_MAX characters; the rest by what the
 *     caller lets a request be.
 */
#pragma once

#include "api/v1_answer.h"
#include "api/v1_submission.h"

#define V1_LIST_MAX      50
#define V1_FILE_NAME_MAX 255

typedef struct {
    GPtrArray *to, *cc, *bcc;                                     /* of V1Address */
    char *from, *sender, *subject, *reply_to, *text, *html, *tag; /* NULL: absent */
    gboolean bounce;                                              /* from the null sender */
    GPtrArray *headers; /* of MimeField: custom ones, values as text */
    GPtrArray *files;   /* of MimeFile */
} V1Message;

void v1_message_free(V1Message *message);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(V1Message, v1_message_free)

/* Reads the parameters. NULL: PARAMETER, and *text (g_free) names one that cannot be taken. Else *first is the first error of
 * v1_error.def that applies, or none; what comes after V1_ERROR_UNAUTHENTICATED_FROM is told only if From is good. */
V1Message *v1_message_read(json_object *parameters, V1Error *first, char **text);

/* What the message says that no parameter does. */
typedef struct {
    const char *message_id; /* without brackets */
    const char *received;   /* value of the Received field */
    const char *date;       /* RFC 5322 */
} V1Stamp;

/* The message. NULL: From is no mailbox (*first), or another parameter no list of mailboxes (PARAMETER and *text). */
V1Submission *v1_message_compose(const V1Message *message, const V1Stamp *stamp, V1Error *first,
                                 char **text);
