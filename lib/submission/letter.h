/* SPDX-License-Identifier: MIT */
/*
 * Purpose: a message by its parts, as send/message has them, and the submission that they make.
 * Used by: apid, the CLI.
 * May touch: nothing.
 * Threads: any.
 * Limits: LETTER_LIST_MAX addresses in each list; a tag of SUBMISSION_TAG_MAX and a file's name of LETTER_FILE_NAME_MAX characters,
 *     which whoever fills it in sees to.
 */
#pragma once

#include "lib/mime/build.h"
#include "lib/submission/addressee.h"
#include "lib/submission/submission.h"
#include "lib/submission/v1_error.h"

#define LETTER_LIST_MAX      50
#define LETTER_FILE_NAME_MAX 255
#define LETTER_FILE_TYPE     "application/octet-stream" /* of a file whose type nobody says */

typedef struct {
    GPtrArray *to, *cc, *bcc;                                     /* of Addressee */
    char *from, *sender, *subject, *reply_to, *text, *html, *tag; /* NULL: absent */
    gboolean bounce;                                              /* from the null sender */
    GPtrArray *headers; /* of MimeField: custom ones, values as text */
    GPtrArray *files;   /* of MimeFile */
} Letter;

void letter_free(Letter *letter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Letter, letter_free)

/* Whether there is nothing in it but white space. */
gboolean letter_file_is_blank(const MimeFile *file);

/* The first error of v1_error.def that applies: one before V1_ERROR_UNAUTHENTICATED_FROM, or lacking, what its files lack, which is told
 * only if From is good. */
V1Error letter_error(const Letter *letter, V1Error lacking);

/* Whether letter_compose takes over a custom field of that name; to and cc are to be there. */
gboolean letter_takes_header(const Letter *letter, const char *name);

/* What the message says that no part does. */
typedef struct {
    const char *message_id; /* without brackets */
    const char *received;   /* value of the Received field */
    const char *date;       /* RFC 5322 */
} LetterStamp;

/* The message. NULL: From is no mailbox (*first), or another part no list of mailboxes (PARAMETER and *text, g_free). */
Submission *letter_compose(const Letter *letter, const LetterStamp *stamp, V1Error *first,
                           char **text);
