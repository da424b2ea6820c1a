/* SPDX-License-Identifier: MIT */
/* What the parser accepts must come back the same through config_dump(). */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/config/config.h"
#include "tests/fuzz/fuzz.h"

unsigned fuzz_reached;

static char *dump(const Config *config)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    g_assert(out);
    config_dump(config, out);
    fclose(out);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) config = config_parse("fuzz", (const char *)data, (gssize)size, &error);

    g_assert((config != NULL) == (error == NULL));
    if (!config) {
        g_assert(g_utf8_validate(error->message, -1, NULL));
        return 0;
    }
    fuzz_reached++;
    char *first = dump(config);
    g_autoptr(Config) again = config_parse("dump", first, -1, NULL);
    g_assert(again);
    char *second = dump(again);
    g_assert_cmpstr(first, ==, second);
    free(first);
    free(second);
    return 0;
}
