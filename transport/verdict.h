/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what Postfix is told of an attempt: an exit status of sysexits and one line that begins with an enhanced code.
 * Used by: outrider-pipe.
 * May touch: nothing.
 * Threads: any.
 * Limits: lines of VERDICT_LINE_MAX octets, VERDICT_ANSWER_MAX of them the endpoint's. Strangers read what is said of a failure, in the
 *     notice that comes back to them: it names the endpoint by its number only and has none of its words.
 */
#pragma once

#include "lib/edge/edge_route.h"
#include "lib/http/http.h"

#define VERDICT_LINE_MAX   400
#define VERDICT_ANSWER_MAX 200

typedef struct {
    int status; /* 0, EX_TEMPFAIL or EX_UNAVAILABLE */
    char *line;
} Verdict;

void verdict_clear(Verdict *verdict);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Verdict, verdict_clear)

/* 2xx: delivered. 408, 429, 5xx and whatever is no answer: later. All others: never. */
void verdict_of_answer(const EdgeEndpoint *endpoint, const HttpAnswer *answer, Verdict *verdict);

/* Later, or never, for another reason; text is ours. */
void verdict_later(Verdict *verdict, const char *code, const char *text);
void verdict_never(Verdict *verdict, const char *code, const char *text);

/* Octets from outside in one line of printable ASCII, at most max of them; g_free. */
char *verdict_text(const char *octets, gsize length, gsize max);
