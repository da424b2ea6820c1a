/* SPDX-License-Identifier: MIT */
#include <glib.h>
#include <string.h>

#include "lib/wire/usage.h"
#include "tests/fuzz/fuzz.h"

unsigned fuzz_reached;

/* What is taken is written and read again the same. */
static void round_trip(const Usage *usage)
{
    g_autoptr(GString) out = g_string_new(NULL);
    UsageKind kind = USAGE_END;
    UsageMark mark;
    Usage again = {0};

    usage_append(out, usage);
    g_string_truncate(out, out->len - 1);
    g_assert(usage_answer_parse(out->str, &kind, &again, &mark, NULL) && kind == USAGE_LINE);
    g_assert(again.limit == usage->limit && again.resets == usage->resets);
    g_assert(memcmp(&again.slots, &usage->slots, sizeof again.slots) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *line = g_strndup((const char *)data, size);
    UsageSlots slots = {0};
    UsageKind kind;
    UsageMark mark = {0};
    Usage usage = {0};

    if (usage_answer_parse(line, &kind, &usage, &mark, NULL)) {
        fuzz_reached++;
        if (kind == USAGE_LINE)
            round_trip(&usage);
        else
            g_assert(mark.instance != 0);
    }
    if (usage_slots_parse(line, &slots)) {
        fuzz_reached++;
        g_assert(slots.n <= USAGE_SLOTS_MAX && (slots.n == 0 || slots.counts[slots.n - 1] > 0));
    }
    return 0;
}
