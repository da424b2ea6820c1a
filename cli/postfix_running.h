/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what a Postfix is configured to do now, as postconf(1) tells it.
 * Used by: `outrider postfix check'.
 * May touch: runs postconf and postmap, without a shell.
 * Threads: one.
 * Limits: POSTFIX_OUTPUT_MAX octets and POSTFIX_SECONDS seconds for each of its answers.
 */
#pragma once

#include <glib.h>

#define POSTFIX_OUTPUT_MAX (1024 * 1024)
#define POSTFIX_SECONDS    20

/* All of text to text. A service is named as postconf names it, such as 587/inet. */
typedef struct {
    GHashTable *written;  /* main.cf's parameters as they are written */
    GHashTable *values;   /* the same, with $names expanded */
    GHashTable *services; /* service to its command, such as smtpd */
    GHashTable *lines;    /* service to its whole line */
    GHashTable *options;  /* "service/parameter" to value as written */
} PostfixRunning;

/* Asks postconf about a configuration directory. Error UNAVAILABLE. */
PostfixRunning *postfix_running_read(const char *directory, GError **error);

/* What a table of Postfix (type:name) has for a key; "": nothing, or the table cannot be asked. g_free. */
char *postfix_running_lookup(const char *directory, const char *table, const char *key);

/* What a program of Postfix's prints; the words after its name and -c DIRECTORY are rest. What it warns of goes where
 * our errors go. UNAVAILABLE; g_free. */
char *postfix_running_ask(const char *name, const char *directory, const char *const *rest,
                          GError **error);

/* The same as postfix_running_read from the output of postconf, postconf -x, postconf -M and postconf -P. */
PostfixRunning *postfix_running_parse(const char *written, const char *values, const char *services,
                                      const char *options);

void postfix_running_free(PostfixRunning *running);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PostfixRunning, postfix_running_free)

/* The value that a service works with, $names expanded where it is main.cf's; service NULL: main.cf's.
 * NULL: Postfix knows no such parameter. */
const char *postfix_running_value(const PostfixRunning *running, const char *service,
                                  const char *parameter);
