/* SPDX-License-Identifier: MIT */
#include "lib/journal/held.h"

#include "lib/journal/event_json.h"

static const struct {
    const char *word, *reason;
} rules[] = {
#define X(NAME, rule, reason) [HOLD_##NAME] = {rule, reason},
#include "lib/journal/hold_rule.def"
#undef X
};

const char *hold_rule_word(HoldRule rule)
{
    return rules[rule].word;
}

const char *hold_rule_reason(HoldRule rule)
{
    return rules[rule].reason;
}

char *journal_held_json(const JournalHeld *held)
{
    json_object *object = event_json_begin(held->node, held->at_us);

    if (held->server)
        event_json_number(object, "server", held->server);
    event_json_number(object, "id", held->id);
    event_json_text(object, "rule", held->rule);
    event_json_text(object, "reason", held->reason);
    event_json_number(object, "expires", (guint64)held->expires_us);
    return event_json_finish(object);
}
