/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the one error domain of the house; every code has a class, which says whether it is worth to try again.
 * Used by: everything.
 * May touch: nothing.
 * Threads: any.
 */
#pragma once

#include <glib.h>

#define OUTRIDER_ERROR outrider_error_quark()
GQuark outrider_error_quark(void);

typedef enum {
    ERROR_CLASS_TEMPORARY,
    ERROR_CLASS_PERMANENT,
    ERROR_CLASS_BUG, /* ours; else as permanent */
} ErrorClass;

typedef enum {
#define X(name, class, meaning) OUTRIDER_ERROR_##name,
#include "lib/base/error.def"
#undef X
    OUTRIDER_ERROR_COUNT
} OutriderError;

/* The class of an error; a foreign domain or unknown code is temporary. */
ErrorClass error_class(const GError *error);

/* Sets an error from errno: ENOSPC and EDQUOT become NO_SPACE, ENOENT NOT_FOUND, others IO.
 * The text is "what path: reason". Always returns FALSE, to end a function with. */
gboolean error_set_errno(GError **error, int errnum, const char *what, const char *path);
