/* SPDX-License-Identifier: MIT */
/*
 * Purpose: why a request of API v2 is not done: {"error": {"code", "field", "message"}}.
 * Used by: apid.
 * May touch: nothing.
 * Threads: any.
 */
#pragma once

#include "lib/directory/directory.h"
#include "lib/httpd/httpd.h"

typedef enum {
#define X(NAME, status, code, message) V2_ERROR_##NAME,
#include "api/v2_error.def"
#undef X
    V2_ERROR_COUNT
} V2ErrorCode;

/* One row of v2_error.def. */
typedef struct {
    guint status;
    const char *code;
    const char *message;
} V2ErrorWords;

extern const V2ErrorWords v2_errors[V2_ERROR_COUNT];

typedef struct {
    V2ErrorCode code;
    char *field;   /* of the body, or of the query; NULL: no single one */
    char *message; /* NULL: the code's */
} V2Problem;

void v2_problem_clear(V2Problem *problem);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(V2Problem, v2_problem_clear)

/* Fills it; message may be NULL. Always FALSE, to end a function with. */
gboolean v2_problem_set(V2Problem *problem, V2ErrorCode code, const char *field,
                        const char *message);

/* From an error of lib/directory. What is wrong on our side is not told. */
void v2_problem_from(V2Problem *problem, DirectoryObject object, const GError *error);

/* The answer, with WWW-Authenticate where that belongs. */
void v2_answer_problem(HttpdAnswer *answer, const V2Problem *problem);

/* An answer that is JSON already; "": no body. */
void v2_answer_text(HttpdAnswer *answer, guint status, const char *text);

/* An answer in JSON; takes value over. NULL: no body. */
void v2_answer_json(HttpdAnswer *answer, guint status, Record *value);

/* As HttpdRoute wants it. */
void v2_answer_refused(guint status, HttpdAnswer *answer);
