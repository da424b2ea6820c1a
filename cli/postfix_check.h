/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what stands in the way of our lines in a Postfix: lines that are missing or changed, and
 *     settings (cli/postfix_conflict.def) that they do not answer. Facts in, findings out.
 * Used by: `outrider postfix check'.
 * May touch: nothing.
 * Threads: any.
 */
#pragma once

#include "cli/postfix_lines.h"
#include "cli/postfix_running.h"

typedef struct {
    gboolean conflict; /* FALSE: a note */
    char *where;       /* main.cf, a service of master.cf, a file */
    char *text;
} PostfixFinding;

/* An empty list of findings that frees them; and one more in it. */
GPtrArray *postfix_findings_new(void);
void postfix_findings_add(GPtrArray *findings, gboolean conflict, const char *where,
                          const char *format, ...) G_GNUC_PRINTF(4, 5);

/* The name by which postconf(1) knows a service; g_free. */
char *postfix_service_key(const PostfixService *service);

/* Whether a value (NULL: none) has one of the words, which stand between blanks and in lower case. */
gboolean postfix_has_word(const char *value, const char *words);

/* Whether a value begins with a text, or has it in it, however both are spaced. */
gboolean postfix_begins_with(const char *value, const char *text);
gboolean postfix_has_text(const char *value, const char *text);

/* What main.cf and master.cf have of our lines, and what they have against them. */
void postfix_check_lines(const PostfixLines *lines, const PostfixRunning *running,
                         GPtrArray *findings);
void postfix_check_conflicts(const PostfixLines *lines, const PostfixRunning *running,
                             GPtrArray *findings);

/* Services of master.cf that keep Postfix from listening where ours do. */
void postfix_check_ports(const PostfixLines *lines, const PostfixRunning *running,
                         GPtrArray *findings);

/* What Postfix and our configuration must say alike. */
void postfix_check_agreement(const Config *config, const PostfixRunning *running,
                             GPtrArray *findings);
