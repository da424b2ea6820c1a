/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the words of limits: what one is about, over which period, and what happens beyond it.
 * Used by: directory, replicas, policyd, milter, worker and CLI.
 * May touch: nothing.
 * Threads: any.
 */
#pragma once

#include <glib.h>

/* X(NAME, "word") */
#define LIMIT_SUBJECTS(X)                                                                          \
    X(ORGANIZATION, "organization")                                                                \
    X(SERVER, "server")                                                                            \
    X(CREDENTIAL, "credential")                                                                    \
    X(DOMAIN, "domain") /* of the recipient */                                                     \
    X(USER, "user")     /* SASL user of a relay, without a credential of ours */

/* The gravest last: of several limits that are reached it counts. */
#define LIMIT_ACTIONS(X)                                                                           \
    X(HOLD, "hold")                                                                                \
    X(DEFER, "defer")                                                                              \
    X(REJECT, "reject")

/* X(NAME, "word", seconds) */
#define LIMIT_PERIODS(X)                                                                           \
    X(SECOND, "second", 1)                                                                         \
    X(MINUTE, "minute", 60)                                                                        \
    X(HOUR, "hour", 3600)                                                                          \
    X(DAY, "day", 86400)

#define LIMIT_ENUMERATE(NAME, ...) LIMIT_##NAME,
typedef enum { LIMIT_SUBJECTS(LIMIT_ENUMERATE) LIMIT_SUBJECT_COUNT } LimitSubject;
typedef enum { LIMIT_ACTIONS(LIMIT_ENUMERATE) LIMIT_ACTION_COUNT } LimitAction;
typedef enum { LIMIT_PERIODS(LIMIT_ENUMERATE) LIMIT_PERIOD_COUNT } LimitPeriod;
#undef LIMIT_ENUMERATE

const char *limit_subject_word(LimitSubject subject);
const char *limit_action_word(LimitAction action);
const char *limit_period_word(LimitPeriod period);

/* FALSE, and the value untouched: no such word. */
gboolean limit_subject_read(const char *word, LimitSubject *subject);
gboolean limit_action_read(const char *word, LimitAction *action);
gboolean limit_period_read(const char *word, LimitPeriod *period);

/* A period's length in microseconds. */
gint64 limit_period_us(LimitPeriod period);
