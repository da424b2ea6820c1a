/* SPDX-License-Identifier: MIT */
/*
 * Purpose: one call of API v1, from the request to the answer.
 * Used by: apid.
 * May touch: what its sender, its remembered requests and its journal may; for one that reads or comes again what its history desk may.
 * Threads: any; a call waits for Postfix, and a wrong key for its penalty.
 * Limits: THROTTLE_SLEEPERS_MAX wrong keys are delayed at a time; more are answered 429 at once.
 */
#pragma once

#include "api/history_desk.h"
#include "api/remembered.h"
#include "api/throttle.h"
#include "api/v1_parameter.h"
#include "lib/admission/use_count.h"
#include "lib/httpd/httpd.h"
#include "lib/submission/sender.h"

#define V1_KEY_FIELD    "X-Server-API-Key"
#define V1_REPEAT_FIELD "Idempotency-Key"

typedef enum {
#define X(NAME, name, help) APID_COUNTER_##NAME,
#include "api/apid_counter.def"
#undef X
    APID_COUNTER_COUNT
} ApidCounter;

/* What all calls share. */
typedef struct {
    Sender *sender;
    Remembered *remembered;
    HistoryDesk *history;
    UseCount *uses;
    Throttle *throttle;
    _Atomic guint64 counters[APID_COUNTER_COUNT];
} V1Desk;

/* V1_NO_BODY: whatever was asked for, by a client whose body was not kept. */
typedef enum {
    V1_SEND_MESSAGE,
    V1_SEND_RAW,
    V1_READ_MESSAGE,
    V1_READ_DELIVERIES,
    V1_NO_BODY
} V1CallKind;

/* Whose the key of a request is, before its body comes: the server, which the body counts for; 0: nobody's that may send, or that
 * is not known now. */
guint v1_holder(V1Desk *desk, const HttpdRequest *request);

/* Words what the server answers by itself to a request of API v1 (413, 503): a route's `refused'. */
void v1_refused(guint status, HttpdAnswer *answer);

/* Answers a request whose body is gathered. Its state becomes the credential's path (g_free), if it has one. */
void v1_call(V1Desk *desk, V1CallKind kind, HttpdRequest *request, HttpdAnswer *answer);
