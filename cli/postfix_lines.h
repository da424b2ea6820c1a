/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the settings and services that this installation needs in Postfix: main.cf and master.cf as
 *     data, from cli/postfix_line.def and the directory's addresses.
 * Used by: `outrider postfix'.
 * May touch: the host's name service, for the addresses of its own name.
 * Threads: one.
 *
 * Everything of ours stands in services of its own, so that what the relay did before is not touched:
 * SASL_README, MILTER_README, SMTPD_POLICY_README, ADDRESS_REWRITING_README.
 */
#pragma once

#include "lib/config/config.h"
#include "lib/directory/record.h"

/* Where a line stands: the groups of cli/postfix_line.def. */
typedef enum {
    POSTFIX_MAIN,
    POSTFIX_LISTENER,
    POSTFIX_SUBMIT,
    POSTFIX_SPLIT,
    POSTFIX_HOP,
    POSTFIX_HOP_CLEANUP,
    POSTFIX_LANE,
} PostfixGroup;

/* {daemon_name} of the submission services. */
#define POSTFIX_DAEMON_NAME "outrider-submission"

typedef struct {
    char *name;
    char *value;
    const char *comment; /* static; NULL: none */
} PostfixSetting;

typedef struct {
    PostfixGroup group;
    char *name;         /* first field of master.cf */
    const char *fields; /* static; its others: type private unpriv chroot wakeup maxproc command */
    GPtrArray *options; /* of PostfixSetting */
} PostfixService;

typedef struct {
    GPtrArray *settings; /* of PostfixSetting, main.cf */
    GPtrArray *services; /* of PostfixService, master.cf */
    char *note;          /* for the admin, about what is left out; NULL: nothing */
} PostfixLines;

/* plain: a loopback address to offer AUTH without TLS on, or NULL. addresses: as directory_list gives
 * them; NULL: without lanes. */
PostfixLines *postfix_lines_make(const Config *config, const char *plain, Record *addresses);
void postfix_lines_free(PostfixLines *lines);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PostfixLines, postfix_lines_free)
