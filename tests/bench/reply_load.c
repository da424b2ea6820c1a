/* SPDX-License-Identifier: MIT */
/* reply_load [ROUNDS]: how long it takes to classify a reply, over those of tests/lib/reply_case.def. */
#include <stdio.h>
#include <string.h>

#include "lib/wire/reply.h"

#define ROUNDS 2000

static const struct {
    const char *relay;
    ReplyStage stage;
    const char *text;
} cases[] = {
#define X(relay, STAGE, text, CLASS, PERMANENCE, PROVIDER) {relay, REPLY_STAGE_##STAGE, text},
#include "tests/lib/reply_case.def"
#undef X
};

static guint classify(guint i)
{
    ReplyVerdict verdict;
    Reply reply;

    reply_read(cases[i].text, strlen(cases[i].text), &reply);
    reply_add_relay(&reply, cases[i].relay);
    reply.stage = cases[i].stage;
    reply_classify(&reply, &verdict);
    return verdict.class;
}

int main(int argc, char **argv)
{
    guint64 rounds = argc > 1 ? g_ascii_strtoull(argv[1], NULL, 10) : ROUNDS;
    guint64 sum = classify(0);
    gsize octets = 0;

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        octets += strlen(cases[i].text);
    gint64 start = g_get_monotonic_time();
    for (guint64 round = 0; round < rounds; round++)
        for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
            sum += classify(i);
    double us = (double)(g_get_monotonic_time() - start);
    printf("%.2f us a reply (%.0f octets on average, %" G_GUINT64_FORMAT ")\n",
           us / ((double)rounds * G_N_ELEMENTS(cases)), (double)octets / G_N_ELEMENTS(cases), sum);
    return 0;
}
