/* SPDX-License-Identifier: MIT */
/* Input is a path with its query, a line end, and a body. What a path names is found again under the path that we write for it; of a
 * body no option has a text that another reader would end earlier. */
#include <glib.h>
#include <string.h>

#include "api/v2_field.h"
#include "api/v2_query.h"
#include "tests/fuzz/fuzz.h"

unsigned fuzz_reached;

static void check_path(const V2Path *path)
{
    g_auto(V2Path) again = {0};

    if (!path->name)
        return;
    g_autofree char *text = v2_path_of(path, path->name);
    if (!v2_path_read(text, &again) || !g_str_equal(again.name, path->name) ||
        !g_str_equal(again.owner, path->owner) || again.resource != path->resource)
        g_error("%s is another path", text);
    fuzz_reached++;
}

static void check_body(const V2Path *path, const char *json, gsize length)
{
    for (gboolean add = FALSE; add <= TRUE; add++) {
        g_auto(V2Body) body = {0};
        g_auto(V2Problem) problem = {0};
        if (!v2_body_read(path->resource->object, add, json, length, &body, &problem)) {
            g_assert_nonnull(problem.message);
            continue;
        }
        for (guint i = 0; i < body.options->len; i++)
            g_assert_nonnull(g_array_index(body.options, DirectoryOption, i).text);
        g_assert_true(!add || body.name);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *end = memchr(data, '\n', size);
    g_autofree char *line =
        g_strndup((const char *)data, end ? (gsize)(end - (const char *)data) : size);
    char *query = strchr(line, '?');
    g_auto(V2Path) path = {0};

    if (query)
        *query++ = '\0';
    if (!v2_path_read(line, &path))
        return 0;
    check_path(&path);
    for (V2Verb verb = 0; verb < V2_VERB_COUNT; verb++) {
        g_auto(V2Query) read = {0};
        g_auto(V2Problem) problem = {0};
        if (v2_query_read(path.resource, verb, query, &read, &problem))
            g_assert_true(read.limit >= 1 && read.limit <= V2_LIMIT_MAX);
    }
    if (end)
        check_body(&path, end + 1, size - (gsize)(end + 1 - (const char *)data));
    return 0;
}
