/* SPDX-License-Identifier: MIT */
#include "worker/give_up.h"

#include "lib/base/suppression.h"
#include "lib/wire/reply.h"

void give_up_clear(GiveUp *give_up)
{
    g_clear_pointer(&give_up->address, g_free);
    g_clear_pointer(&give_up->text, g_free);
}

static gboolean is_about_address(const GiveUpAttempt *attempt)
{
    ReplyVerdict verdict;

    reply_judge(attempt->text, attempt->dsn, attempt->relay, &verdict);
    return verdict.class == REPLY_ADDRESS;
}

void give_up_take(GiveUp *give_up, const GiveUpAttempt *attempt)
{
    if (give_up->over)
        return;
    if (give_up->last_us == 0) {
        g_clear_pointer(&give_up->address, g_free);
        give_up->address = attempt->recipient ? suppression_address(attempt->recipient) : NULL;
    }
    give_up->over = !give_up->address || !is_about_address(attempt);
    if (give_up->over)
        return;
    if (give_up->last_us == 0) {
        give_up->last_us = attempt->at_us;
        give_up->text = g_strdup(attempt->text);
    }
    give_up->since_us = attempt->at_us;
}
