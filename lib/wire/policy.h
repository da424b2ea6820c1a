/* SPDX-License-Identifier: MIT */
/*
 * Purpose: Postfix's policy delegation protocol (SMTPD_POLICY_README): octets to struct and back.
 * Used by: policyd.
 * May touch: nothing.
 * Threads: any.
 * Limits: a request of at most POLICY_REQUEST_MAX octets. Attributes that we do not know are skipped.
 */
#pragma once

#include <glib.h>

#define POLICY_REQUEST_MAX 16384

typedef struct {
    char *protocol_state; /* "RCPT" ...; "" when absent, as all of them */
    char *queue_id;
    char *client_address;
    char *sender;
    char *recipient;
    char *sasl_username;
    char *recipient_count;
    char *size;           /* of the message: at RCPT what the client declared, or "0" */
    char *instance;       /* the same for one transaction */
    char *policy_context; /* as main.cf gives it to the restriction that asks */
} PolicyRequest;

void policy_request_clear(PolicyRequest *request);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PolicyRequest, policy_request_clear)

/* Parses one request with its empty line from the start of data: octets used, 0 when it is not whole
 * yet, -1 and INVALID or TOO_LARGE. NUL and control characters, a line without "=", an attribute of
 * ours given twice and a request other than smtpd_access_policy are INVALID. *request must be zero
 * and is filled on success only. */
gssize policy_parse(const char *data, gsize length, PolicyRequest *request, GError **error);

/* Appends "action=...\n\n"; control characters of text become spaces, and what is too long for the reply in which Postfix tells it
 * about recipient gives way (smtp_reply_fit). text may be NULL. */
void policy_reply(GString *out, const char *action, const char *text, const char *recipient);
