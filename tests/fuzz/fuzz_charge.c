/* SPDX-License-Identifier: MIT */
#include <glib.h>
#include <string.h>

#include "lib/wire/charge.h"
#include "tests/fuzz/fuzz.h"

unsigned fuzz_reached;

/* What is taken is written and read again the same. */
static void round_trip(const ChargeRequest *request)
{
    g_auto(ChargeRequest) again = {0};
    g_autoptr(GString) out = g_string_new(NULL);

    charge_request_append(out, request);
    g_assert(charge_request_parse(out->str, out->len, &again, NULL) == (gssize)out->len);
    g_assert(again.verb == request->verb && again.message == request->message &&
             again.limit == request->limit && g_strcmp0(again.domain, request->domain) == 0);
    g_assert(again.mark.instance == request->mark.instance &&
             again.mark.sequence == request->mark.sequence && again.node == request->node &&
             again.period == request->period && again.resets == request->resets &&
             memcmp(&again.slots, &request->slots, sizeof again.slots) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_auto(ChargeRequest) request = {0};
    ChargeVerdict verdict;
    ChargeCount count;
    gssize used = charge_request_parse((const char *)data, size, &request, NULL);
    g_autofree char *line = g_strndup((const char *)data, size);

    g_assert(used <= (gssize)size);
    if (used > 0) {
        fuzz_reached++;
        round_trip(&request);
    }
    if (charge_verdict_parse(line, &verdict, NULL)) {
        fuzz_reached++;
        g_autoptr(GString) out = g_string_new(NULL);
        charge_verdict_append(out, &verdict);
        g_assert(out->len > 0);
    }
    if (charge_count_parse(line, &count, NULL)) {
        fuzz_reached++;
        g_assert(count.n <= CHARGE_SHARES_MAX);
    }
    return 0;
}
