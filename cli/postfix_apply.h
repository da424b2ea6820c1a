/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what has to change in this node's Postfix so that it has a transport for each lane that it can serve.
 * Used by: `outrider postfix apply'.
 * May touch: nothing.
 * Threads: any.
 *
 * A node serves the addresses that it has, and the smart hosts whose password it has. A service that it has and
 * does not serve any more is not taken away at once: mail that was queued for it (a null sender's names it in
 * the queue file) leaves by another address of the pool until the lane is forgotten (EDGE_LANE_KEEP_SECONDS).
 */
#pragma once

#include "cli/postfix_lines.h"
#include "cli/postfix_running.h"

#define POSTFIX_SECRET_EARLIER 3

typedef struct {
    PostfixWays ways;
    Record *gone;              /* {"lane", "kind", "ip_pool_id"}: not forgotten yet */
    GHashTable *here;          /* addresses of this host */
    const GPtrArray *unusable; /* of PostfixUnusable; smart hosts that cannot be set up */
} PostfixFacts;

typedef struct {
    gint64 lane;
    char *why;
} PostfixUnusable;

typedef struct {
    GArray *served;      /* of guint32 */
    GPtrArray *services; /* of PostfixService, that master.cf lacks or has otherwise */
    GPtrArray *removed;  /* of text, "outrider-ip3/unix" */
} PostfixPlan;

void postfix_plan_free(PostfixPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PostfixPlan, postfix_plan_free)

PostfixPlan *postfix_plan_make(const Config *config, const PostfixFacts *facts,
                               const PostfixRunning *running);

/* Whether an address can be bound here: what it has of both families. */
gboolean postfix_is_here(const Record *address, GHashTable *here);

/* The lane of a service of ours, "outrider-sh8/unix", of kind "ip" or "sh"; 0: it is none. */
gint64 postfix_service_lane(const char *key, const char *kind);

/* A service as one argument of postconf -M: "name/unix=name unix ... -o x=y"; g_free. */
char *postfix_service_entry(const PostfixService *service);

/* The line of a password file for Postfix, from the text of an admin's file: its first line is the password.
 * INVALID says what is wrong, without it. g_free. */
char *postfix_secret_line(const Record *smarthost, const char *text, GError **error);

/* The password file: that line, and from the old file's text (NULL: none) those of up to POSTFIX_SECRET_EARLIER
 * places where the smart host was before; what was queued for one of them still logs in there. g_free. */
char *postfix_secret_file(const char *line, const char *old);
