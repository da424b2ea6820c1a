/* SPDX-License-Identifier: MIT */
/*
 * Purpose: how milter, worker and CLI ask policyd about limits: octets to struct and back.
 *
 *     charge MESSAGE ORGANIZATION SERVER CREDENTIAL DOMAIN     answered: ok, or
 *                                  full LIMIT ACTION SUBJECT MAX PERIOD COUNT WAIT
 *     keep MESSAGE                 the message was taken                 no answer
 *     refund MESSAGE               it was not                            no answer
 *     count LIMIT                  answered: count COUNT WAIT [NODE=COUNT ...], or none: no such limit is known
 *     reset LIMIT                  answered: ok, or none
 *     changes INSTANCE SEQUENCE    what this node counted of limits that changed since; for the worker only. INSTANCE
 *                                  0, or one that is not this policyd's any more: all. Answered: lib/wire/usage.h
 *     share NODE LIMIT PERIOD RESETS AGE SLOTS
 *                                  what another node counted, in place of what was said of it before; from the
 *                                  worker only         no answer
 *
 *     A line each. What was charged and neither kept nor refunded is refunded when the connection ends.
 *     MESSAGE is its id; the others are ids of the directory; DOMAIN is the recipient's, in lower case, or
 *     "-". WAIT: microseconds until there is room, if nothing else comes; -1: there never will be. COUNT is
 *     that of all nodes; when others have counted too, what each has follows.
 * Used by: policyd, and who asks it.
 * May touch: nothing.
 * Threads: any.
 * Limits: a line of at most CHARGE_LINE_MAX octets, which a share with USAGE_SLOTS_MAX long numbers fits; CHARGE_SHARES_MAX nodes
 *     are told apart.
 */
#pragma once

#include <glib.h>

#include "lib/base/limit.h"
#include "lib/wire/usage.h"

#define CHARGE_SOCKET     "limit"
#define CHARGE_LINE_MAX   1024
#define CHARGE_NONE       "none"
#define CHARGE_SHARES_MAX 64

/* X(VERB, "word", "arguments": M message, N number that may be 0, D domain, L limit, I instance, Q sequence,
 * O node, P period, R resets, A age, S slots) */
#define CHARGE_VERBS(X)                                                                            \
    X(CHARGE, "charge", "MNNND")                                                                   \
    X(KEEP, "keep", "M")                                                                           \
    X(REFUND, "refund", "M")                                                                       \
    X(COUNT, "count", "L")                                                                         \
    X(RESET, "reset", "L")                                                                         \
    X(CHANGES, "changes", "IQ")                                                                    \
    X(SHARE, "share", "OLPRAS")

#define CHARGE_ENUMERATE(NAME, word, arguments) CHARGE_##NAME,
typedef enum { CHARGE_VERBS(CHARGE_ENUMERATE) CHARGE_VERB_COUNT } ChargeVerb;
#undef CHARGE_ENUMERATE

typedef struct {
    ChargeVerb verb;
    guint64 message;
    guint32 organization, server, credential;
    guint32 limit;
    char *domain;   /* NULL: none */
    UsageMark mark; /* instance 0: all */
    guint node;
    LimitPeriod period;
    guint32 resets;
    UsageSlots slots;
} ChargeRequest;

void charge_request_clear(ChargeRequest *request);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ChargeRequest, charge_request_clear)

/* A limit that is reached, as it was at that moment. */
typedef struct {
    guint32 limit; /* 0: none is */
    LimitAction action;
    LimitSubject subject;
    LimitPeriod period;
    guint32 max;
    guint64 count;
    gint64 wait_us;
} ChargeVerdict;

/* Takes one request from the start of data: octets used, 0 when it is not whole yet, -1 and INVALID or
 * TOO_LARGE. *request must be zero and is filled on success only. */
gssize charge_request_parse(const char *data, gsize length, ChargeRequest *request, GError **error);
void charge_request_append(GString *out, const ChargeRequest *request);

/* The answer to a charge, without its line end. INVALID: not one. */
gboolean charge_verdict_parse(const char *line, ChargeVerdict *verdict, GError **error);
void charge_verdict_append(GString *out, const ChargeVerdict *verdict);

/* What people are told of a limit that is reached: what it is for, how much, and its id. organization,
 * server: permalinks, NULL: none. g_free. */
char *charge_verdict_text(const ChargeVerdict *verdict, const char *organization,
                          const char *server, const char *domain);

/* That text, with the counter and when there is room again. g_free. */
char *charge_verdict_reason(const ChargeVerdict *verdict, const char *text);

typedef struct {
    guint node;
    guint64 count;
} ChargeShare;

/* What is counted of a limit. */
typedef struct {
    guint64 count; /* by all nodes */
    gint64 wait_us;
    guint n;
    ChargeShare shares[CHARGE_SHARES_MAX]; /* by each; none while no other node has any */
} ChargeCount;

/* The answer to a count. NOT_FOUND: no such limit is known. */
gboolean charge_count_parse(const char *line, ChargeCount *count, GError **error);
void charge_count_append(GString *out, const ChargeCount *count);
