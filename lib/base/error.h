/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the one error domain of the house; every code has a class, and the class decides what
 *     SMTP, Postfix's policy protocol, pipe(8) and HTTP are told.
 * Used by: everything.
 * May touch: nothing.
 * Threads: any.
 */
#pragma once

#include <glib.h>

#define OUTRIDER_ERROR outrider_error_quark()
GQuark outrider_error_quark(void);

typedef enum {
#define X(name, smtp, dsn, action, exit_status, http) ERROR_CLASS_##name,
#include "lib/base/error_class.def"
#undef X
} ErrorClass;

typedef enum {
#define X(name, class, meaning) OUTRIDER_ERROR_##name,
#include "lib/base/error.def"
#undef X
    OUTRIDER_ERROR_COUNT
} OutriderError;

/* What each protocol says for a class; all strings are static. */
typedef struct {
    const char *name;
    const char *smtp_code;     /* three digits */
    const char *enhanced_code; /* RFC 3463 */
    const char *policy_action; /* access(5) verb */
    int exit_status;           /* sysexits, for pipe(8) */
    int http_status;
} ErrorAnswer;

/* The class of an error; a foreign domain or unknown code is temporary. */
ErrorClass error_class(const GError *error);

/* What to answer for an error; never NULL. */
const ErrorAnswer *error_answer(const GError *error);

/* The code's name, such as "NOT_FOUND"; "UNKNOWN" for foreign domains. */
const char *error_name(const GError *error);

/* Sets an error from errno: ENOSPC and EDQUOT become NO_SPACE, ENOENT NOT_FOUND, others IO.
 * The text is "what path: reason". Always returns FALSE, to end a function with. */
gboolean error_set_errno(GError **error, int errnum, const char *what, const char *path);
