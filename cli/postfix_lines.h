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
    POSTFIX_LOOPBACK, /* of both that follow */
    POSTFIX_HOP,
    POSTFIX_INJECT,
    POSTFIX_HOP_CLEANUP,
    POSTFIX_LANE, /* the group of every way out as a service */
    POSTFIX_ADDRESS,
    POSTFIX_SMARTHOST,
    POSTFIX_LOGIN,
    POSTFIX_INCOMING,
    POSTFIX_HTTP,
    POSTFIX_OUT,
    POSTFIX_LMTP,
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
    char *command;      /* what the command is told besides; NULL: nothing */
} PostfixService;

typedef struct {
    GPtrArray *settings; /* of PostfixSetting, main.cf */
    GPtrArray *services; /* of PostfixService, master.cf */
    char *note;          /* for the admin, about what is left out; NULL: nothing */
} PostfixLines;

/* Where the password of a smart host's lane is kept for Postfix: "<postfix_config_dir>/outrider-secret/sh8"; g_free. */
char *postfix_secret_path(const Config *config, gint64 lane);

/* The ways out as directory_list gives them; NULL: none. */
typedef struct {
    Record *addresses;
    Record *smarthosts;
} PostfixWays;

/* plain: a loopback address to offer AUTH without TLS on, or NULL. */
PostfixLines *postfix_lines_make(const Config *config, const char *plain, const PostfixWays *ways);

/* Settings and services for incoming mail, but for settings that others have part in (cli/postfix_incoming.h). config_file: for
 * the program that posts to URLs; NULL: the usual one. */
PostfixLines *postfix_lines_incoming(const Config *config, const char *config_file);

/* Appends a PostfixSetting. */
void postfix_lines_add(GPtrArray *settings, const char *name, const char *value,
                       const char *comment);

/* A value with {maps} and {sockets} filled in; g_free. */
char *postfix_lines_value(const Config *config, const char *value);

/* The service of one address, called after a lane (its own, or one that it stands in for), or of one smart host. of: the
 * lane's own row, which says what its pool wants: mail that waits while the address cannot be bound to, or not.
 * address NULL: whatever address and name Postfix has by itself, or none that works. */
PostfixService *postfix_lines_address(const Config *config, gint64 lane, const Record *address,
                                      const Record *of);
PostfixService *postfix_lines_smarthost(const Config *config, const Record *host);
void postfix_service_free(PostfixService *service);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PostfixService, postfix_service_free)
void postfix_lines_free(PostfixLines *lines);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PostfixLines, postfix_lines_free)
