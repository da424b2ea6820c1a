/* SPDX-License-Identifier: MIT */
/*
 * Purpose: one call of API v1, from the request to the answer.
 * Used by: apid.
 * May touch: what its sender, its remembered requests and its journal may; for a reading call what its history desk may.
 * Threads: any; a call waits for Postfix, and a wrong key for its penalty.
 * Limits: V1_CALL_SLEEPERS_MAX wrong keys are delayed at a time; more are answered 429 at once.
 */
#pragma once

#include "api/history_desk.h"
#include "api/remembered.h"
#include "api/sender.h"
#include "api/v1_parameter.h"
#include "lib/admission/use_count.h"
#include "lib/base/penalty.h"
#include "lib/httpd/httpd.h"

#define V1_KEY_FIELD         "X-Server-API-Key"
#define V1_CALL_SLEEPERS_MAX 4

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
    GMutex penalty_mutex;
    Penalty *penalty;
    _Atomic guint sleepers;
    _Atomic guint64 counters[APID_COUNTER_COUNT];
} V1Desk;

typedef enum { V1_SEND_MESSAGE, V1_SEND_RAW, V1_READ_MESSAGE, V1_READ_DELIVERIES } V1CallKind;

/* Answers a request whose body is gathered. */
void v1_call(V1Desk *desk, V1CallKind kind, HttpdRequest *request, HttpdAnswer *answer);
