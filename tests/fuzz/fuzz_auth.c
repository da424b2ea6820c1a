/* SPDX-License-Identifier: MIT */
#include <glib.h>

#include "lib/wire/auth.h"
#include "tests/fuzz/fuzz.h"

unsigned fuzz_reached;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_auto(AuthLine) line = {0};
    g_auto(SaslExchange) exchange = {0};
    const char *text = (const char *)data;
    gssize used = auth_parse(text, size, &line, NULL);

    g_assert(used <= (gssize)size);
    if (used > 0)
        fuzz_reached++;
    if (used <= 0 || line.kind != AUTH_LINE_AUTH || !sasl_begin(&exchange, line.mechanism, "<1@x>"))
        return 0;
    g_autofree char *prompt = NULL;
    SaslStep step = sasl_step(&exchange, line.response, &prompt);
    while (step == SASL_MORE && (gsize)used < size) {
        g_auto(AuthLine) next = {0};
        gssize more = auth_parse(text + used, size - (gsize)used, &next, NULL);
        if (more <= 0 || next.kind != AUTH_LINE_CONT)
            break;
        used += more;
        g_clear_pointer(&prompt, g_free);
        step = sasl_step(&exchange, next.response, &prompt);
    }
    g_assert(step != SASL_DONE || (exchange.username && exchange.secret));
    return 0;
}
