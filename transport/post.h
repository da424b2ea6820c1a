/* SPDX-License-Identifier: MIT */
/*
 * Purpose: one attempt to hand a message to an HTTP endpoint.
 * Used by: outrider-pipe.
 * May touch: <edge_dir>/edge.5.db and the signing key, read-only; <spool_dir>/pipe; the endpoint's host.
 * Threads: one.
 * Limits: POST_SECONDS_MAX for the endpoint; messages of message_size_max and what Postfix puts in front of them.
 */
#pragma once

#include "lib/config/config.h"
#include "transport/verdict.h"

#define POST_SECONDS_MAX 60

typedef struct {
    guint32 endpoint;
    gboolean bounce;
    const char *sender, *recipient, *queue_id;
} PostOrder;

/* "endpoint/42", or "endpoint/42/bounce" for what came to a return path. FALSE: neither. */
gboolean post_read_target(const char *text, PostOrder *order);

/* Reads the message from input and fills *verdict, always. A message that is delivered was taken whole. */
void post_message(const Config *config, const PostOrder *order, int input, Verdict *verdict);
