/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the Dovecot auth protocol, as Postfix's smtpd speaks it (xsasl_dovecot_server.c): lines to
 *     struct, the SASL exchanges PLAIN, LOGIN and CRAM-MD5, and the answers.
 * Used by: policyd.
 * May touch: nothing.
 * Threads: any.
 * Limits: a line of at most AUTH_LINE_MAX octets; names and keys of at most AUTH_NAME_MAX.
 *
 *     AUTH --PLAIN, response--------------------------------------> DONE
 *          --PLAIN, none--> WAIT_PLAIN ---CONT-------------------> DONE
 *          --LOGIN--------> WAIT_USER --CONT--> WAIT_PASSWORD -CONT-> DONE   (a response counts as CONT)
 *          --CRAM-MD5-----> WAIT_CRAM ---CONT--------------------> DONE
 *          anything else, base64 or fields that do not fit -------> FAILED
 */
#pragma once

#include <glib.h>

#define AUTH_LINE_MAX 8192
#define AUTH_NAME_MAX 512

typedef enum { AUTH_LINE_VERSION, AUTH_LINE_CPID, AUTH_LINE_AUTH, AUTH_LINE_CONT } AuthLineKind;

typedef struct {
    AuthLineKind kind;
    guint32 id;      /* AUTH, CONT: of the request; VERSION: major; CPID: the process */
    char *mechanism; /* AUTH */
    char *response;  /* AUTH: resp=, base64, NULL when absent; CONT: base64 */
    char *remote;    /* AUTH: rip=, "" when absent */
} AuthLine;

void auth_line_clear(AuthLine *line);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AuthLine, auth_line_clear)

/* Parses one line from the start of data: octets used with the newline, 0 when not whole yet, -1 and
 * INVALID or TOO_LARGE. Unknown parameters of AUTH are skipped; unknown commands are INVALID. *line
 * must be zero and is filled on success only. */
gssize auth_parse(const char *data, gsize length, AuthLine *line, GError **error);

typedef enum { SASL_PLAIN, SASL_LOGIN, SASL_CRAM_MD5 } SaslMechanism;
typedef enum { SASL_MORE, SASL_DONE, SASL_FAILED } SaslStep;

typedef struct {
    SaslMechanism mechanism;
    guint step;      /* responses taken */
    char *challenge; /* CRAM-MD5: as sent; "" otherwise */
    char *username;  /* as sent, also when it is ignored; may be NULL */
    char *secret;    /* key, or CRAM-MD5's hexadecimal digest */
} SaslExchange;

/* Begins an exchange; challenge is needed by CRAM-MD5 only. FALSE: unknown mechanism. */
gboolean sasl_begin(SaslExchange *exchange, const char *mechanism, const char *challenge);

/* Takes a base64 response, NULL for none. MORE: *prompt (g_free) is the base64 challenge to send. */
SaslStep sasl_step(SaslExchange *exchange, const char *response, char **prompt);

/* Wipes and frees what an exchange holds. */
void sasl_clear(SaslExchange *exchange);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SaslExchange, sasl_clear)

/* "PLAIN" and so on. */
const char *sasl_name(SaslMechanism mechanism);

/* Answers. auth_greeting: what a client reads before it asks; cookie is 32 hexadecimal digits, cram: CRAM-MD5 is offered. */
void auth_greeting(GString *out, guint32 process, guint32 connection, const char *cookie,
                   gboolean cram);
void auth_continue(GString *out, guint32 id, const char *prompt);
void auth_ok(GString *out, guint32 id, const char *user);
void auth_fail(GString *out, guint32 id);
