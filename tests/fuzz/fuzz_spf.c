/* SPDX-License-Identifier: MIT */
/* A policy on the first line, and on the others what its includes find: name N has line N, "?" is no answer. */
#include <glib.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/mailauth/spf.h"
#include "tests/fuzz/fuzz.h"

unsigned fuzz_reached;

typedef struct {
    char **lines;
    guint looks;
} World;

static GPtrArray *look(const char *name, gpointer data, GError **error)
{
    World *world = data;
    guint64 n = g_ascii_strtoull(name, NULL, 10);
    const char *line = n < g_strv_length(world->lines) ? world->lines[n] : "";

    g_assert(++world->looks <= SPF_LOOKUPS_MAX);
    if (!*line || g_str_equal(line, "?")) {
        g_set_error(error, OUTRIDER_ERROR,
                    *line ? OUTRIDER_ERROR_UNAVAILABLE : OUTRIDER_ERROR_NOT_FOUND, "none");
        return NULL;
    }
    GPtrArray *records = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(records, g_strdup(line));
    return records;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_auto(GStrv) lines = g_strsplit(text, "\n", 100);
    World world = {.lines = lines};
    g_autofree char *why = NULL;

    if (!lines[0])
        return 0;
    SpfVerdict verdict = spf_covers(lines[0], "rp.example", look, &world, &why);
    g_assert((verdict == SPF_COVERS) == (why == NULL));
    fuzz_reached += verdict != SPF_DIFFERS || world.looks > 0;
    return 0;
}
