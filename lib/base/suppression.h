/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the words of suppressions (recipients that nothing is sent to).
 * Used by: directory, replicas, policyd, milter, worker and CLI.
 * May touch: nothing.
 * Threads: any.
 */
#pragma once

#include <glib.h>

/* Whom one is for. X(NAME, "word") */
#define SUPPRESSION_SCOPES(X)                                                                      \
    X(INSTALLATION, "installation")                                                                \
    X(ORGANIZATION, "organization")                                                                \
    X(SERVER, "server")

/* How it came about. X(NAME, "word", whether mail that is taken later removes it) */
#define SUPPRESSION_SOURCES(X)                                                                     \
    X(MANUAL, "manual", FALSE)                                                                     \
    X(IMPORT, "import", FALSE)                                                                     \
    X(HARD_FAIL, "hard_fail", TRUE)                                                                \
    X(SOFT_FAIL, "soft_fail", TRUE)                                                                \
    X(BOUNCE, "bounce", FALSE)                                                                     \
    X(COMPLAINT, "complaint", FALSE)                                                               \
    X(API, "api", FALSE)

#define SUPPRESSION_ENUMERATE_SCOPE(NAME, ...)  SUPPRESSION_OF_##NAME,
#define SUPPRESSION_ENUMERATE_SOURCE(NAME, ...) SUPPRESSION_BY_##NAME,
typedef enum {
    SUPPRESSION_SCOPES(SUPPRESSION_ENUMERATE_SCOPE) SUPPRESSION_SCOPE_COUNT
} SuppressionScope;
typedef enum {
    SUPPRESSION_SOURCES(SUPPRESSION_ENUMERATE_SOURCE) SUPPRESSION_SOURCE_COUNT
} SuppressionSource;
#undef SUPPRESSION_ENUMERATE_SCOPE
#undef SUPPRESSION_ENUMERATE_SOURCE

const char *suppression_scope_word(SuppressionScope scope);
const char *suppression_source_word(SuppressionSource source);

/* FALSE, and the value untouched: no such word. */
gboolean suppression_source_read(const char *word, SuppressionSource *source);

/* A recipient as it stands on the list: its address_form. NULL: nothing that could be on the list. g_free. */
char *suppression_address(const char *recipient);

/* What is looked for when mail goes to a recipient: its suppression_address, or "@domain" when its local part is none that
 * could be on the list (too long, not UTF-8). NULL: its domain could not be either. g_free. */
char *suppression_lookup(const char *recipient);

/* The domain's entry, "@domain", of what these two made: a part of it. */
const char *suppression_domain(const char *address);
