/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the errors of API v1 (Postal's, and ours), which other ways to hand in a message name as well.
 * Used by: apid, the CLI.
 * May touch: nothing.
 * Threads: any.
 */
#pragma once

#include <glib.h>

typedef enum {
    V1_ERROR_NONE,
#define X(name, http, status, code, message) V1_ERROR_##name,
#include "lib/submission/v1_error.def"
#undef X
    V1_ERROR_COUNT
} V1Error;

typedef struct {
    guint http;
    const char *status;
    const char *code;    /* NULL: none */
    const char *message; /* NULL: none, or the case's own */
} V1ErrorWords;

/* The words of an error; name is not V1_ERROR_NONE. */
const V1ErrorWords *v1_error_words(V1Error name);
