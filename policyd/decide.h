/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what policyd decides: who authenticates, and what a policy request is answered.
 * Used by: policyd's protocol edges.
 * May touch: the replicas, through lib/edge.
 * Threads: any.
 * Limits: CRAM-MD5 tries at most DECIDE_CRAM_SPLITS_MAX readings of ORG_SERVER.
 */
#pragma once

#include <glib.h>

#include "lib/edge/edge.h"
#include "lib/wire/auth.h"
#include "lib/wire/policy.h"

#define DECIDE_CRAM_SPLITS_MAX 8

/* The policy_context with which the restrictions of the submission services ask, and no others (cli/postfix_line.def):
 * only these are answered a permit. */
#define DECIDE_ADMISSION_CONTEXT "outrider-submission"

/* The credential of a finished exchange with a client at an address. NULL: refused, *reason (static) says why, and *guess
 * whether a key was tried: none is by CRAM-MD5 for a server that there is not, or of which no credential has it; or, with
 * error set, temporary trouble. */
EdgeCredential *decide_auth(Edge *edge, const SaslExchange *exchange, const char *client,
                            gint64 now, const char **reason, gboolean *guess, GError **error);

/* "ORG/SERVER/ID" to the id; 0 when it is not of that form. */
guint32 decide_identity(const char *username);

/* What becomes of an action where the list goes on to `reject': what passes must be permitted, and trouble of ours
 * must stay temporary. Static. */
const char *decide_admission(const char *action);

/* Action of a policy request, and *text (static, may become NULL). trouble: the look-up failed. */
const char *decide_policy(const EdgeCredential *credential, const GError *trouble, gint64 now,
                          const char **text);
