/* SPDX-License-Identifier: MIT */
#include "lib/journal/event_json.h"

#include <string.h>

#include "tests/lib/testing.h"

static void test_event_json_finish_is_plain(void **state)
{
    json_object *object = event_json_begin(3, 1700000000000001);

    (void)state;
    event_json_number(object, "id", G_MAXINT64);
    event_json_text(object, "url", "http://a.test/\"x\"");
    event_json_text(object, "absent", NULL);
    event_json_flag(object, "hop", TRUE);
    event_json_flag(object, "copy", FALSE);
    g_autofree char *text = event_json_finish(object);
    assert_string_equal(text,
                        "{\"v\":1,\"node\":3,\"at\":1700000000000001,\"id\":9223372036854775807,"
                        "\"url\":\"http://a.test/\\\"x\\\"\",\"hop\":true}");
}

static void test_event_json_text_table(void **state)
{
    g_autofree char *fits = g_strnfill(EVENT_JSON_TEXT_MAX, 'x');
    g_autofree char *longer = g_strconcat(fits, "y", NULL);
    g_autofree char *wide = g_strconcat(fits + 1, "\303\274\303\274", NULL);
    g_autofree char *wide_cut = g_strconcat(fits + 1, "\303\274", NULL);
    const char *const cases[][2] = {
        {"", ""},
        {"a\377b", "a\357\277\275b"},
        {"\303", "\357\277\275"},
        {fits, fits},
        {longer, fits},
        {wide, wide_cut},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        json_object *value = event_json_text_new(cases[i][0]);
        assert_string_equal(json_object_get_string(value), cases[i][1]);
        json_object_put(value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_event_json_finish_is_plain),
        cmocka_unit_test(test_event_json_text_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
