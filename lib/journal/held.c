/* SPDX-License-Identifier: MIT */
#include "lib/journal/held.h"

#include <json-c/json.h>

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

static void add_number(json_object *object, const char *key, guint64 number)
{
    json_object_object_add(object, key, json_object_new_int64((gint64)number));
}

static void add_text(json_object *object, const char *key, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    g_autofree char *cut =
        g_utf8_substring(valid, 0, MIN(JOURNAL_HELD_REASON_MAX, g_utf8_strlen(valid, -1)));

    json_object_object_add(object, key, json_object_new_string(cut));
}

char *journal_held_json(const JournalHeld *held)
{
    json_object *object = json_object_new_object();

    add_number(object, "v", 1);
    add_number(object, "node", held->node);
    add_number(object, "at", (guint64)held->at_us);
    if (held->server)
        add_number(object, "server", held->server);
    add_number(object, "id", held->id);
    add_text(object, "rule", held->rule);
    add_text(object, "reason", held->reason);
    add_number(object, "expires", (guint64)held->expires_us);
    char *text = g_strdup(json_object_to_json_string_ext(
        object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(object);
    return text;
}
