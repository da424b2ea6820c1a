/* SPDX-License-Identifier: MIT */
/* Rewrites messages for tests/lib/test_tracking_browser and prints a line of JSON for each. Messages (header, blank line, body)
 * come in on standard input, each behind a line with its length and what is asked for: c (clicks), o (opens), t (text links), or
 * - for nothing. */
#include <glib.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/tracking/rewrite.h"
#include "tests/lib/tracking_fixture.h"

#define TEXT_MAX (64 * 1024 * 1024)

static json_object *links_of(const TrackingResult *result)
{
    json_object *list = json_object_new_array();

    for (guint i = 0; i < result->links->len; i++) {
        const TrackingLink *link = result->links->pdata[i];
        json_object *object = json_object_new_object();
        json_object_object_add(object, "ordinal", json_object_new_int(link->ordinal));
        json_object_object_add(object, "part", json_object_new_int((int)link->part));
        json_object_object_add(object, "url", json_object_new_string(link->url));
        json_object_array_add(list, object);
    }
    return list;
}

static void dump(const char *message, gsize length, const char *wanted)
{
    g_auto(TrackingResult) result = {0};
    json_object *object = json_object_new_object(), *skipped = json_object_new_object();

    tracking_fixture_rewrite(message, length, wanted, &result);
    if (result.body) {
        g_autofree char *body = g_base64_encode((const guint8 *)result.body->str, result.body->len);
        json_object_object_add(object, "body", json_object_new_string(body));
    }
    for (guint i = 0; i < TRACKING_SKIP_COUNT; i++)
        if (result.skipped[i])
            json_object_object_add(skipped, tracking_skip_word(i),
                                   json_object_new_int((int)result.skipped[i]));
    json_object_object_add(object, "links", links_of(&result));
    json_object_object_add(object, "skipped", skipped);
    json_object_object_add(object, "pixel", json_object_new_boolean(result.pixel));
    json_object_object_add(object, "growth", json_object_new_int64(result.growth));
    puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));
    json_object_put(object);
}

int main(void)
{
    char line[64];

    while (fgets(line, sizeof line, stdin)) {
        guint64 length;
        g_auto(GStrv) words = g_strsplit(g_strchomp(line), " ", 2);
        if (g_strv_length(words) != 2 ||
            !g_ascii_string_to_unsigned(words[0], 10, 0, TEXT_MAX, &length, NULL))
            return EXIT_FAILURE;
        g_autofree char *text = g_malloc(length + 1);
        if (fread(text, 1, length, stdin) != length)
            return EXIT_FAILURE;
        dump(text, length, words[1]);
    }
    return EXIT_SUCCESS;
}
