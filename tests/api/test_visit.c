/* SPDX-License-Identifier: MIT */
#include "api/visit.h"

#include <json-c/json.h>
#include <string.h>

#include "tests/lib/testing.h"

static char click_url[] = "https://acme.test/\xff\"b";
static const Link click = {
    .kind = LINK_CLICK, .id = 4711, .server = 7, .ordinal = 3, .url = click_url};

static const char *text_of(json_object *object, const char *key)
{
    json_object *value = NULL;

    return json_object_object_get_ex(object, key, &value) ? json_object_get_string(value) : NULL;
}

static void test_visit_json_click(void **state)
{
    const Visit visit = {.node = 2,
                         .at_us = 1234567,
                         .host = "t.acme.test",
                         .ip = "2001:db8::9",
                         .agent = "Mozilla/5.0",
                         .method = "GET"};
    g_autofree char *json = visit_json(&click, &visit);

    (void)state;
    assert_int_equal(visit_type(&click), EVENT_CLICK);
    assert_string_equal(json,
                        "{\"v\":1,\"node\":2,\"at\":1234567,\"id\":4711,\"server\":7,\"ordinal\":3,"
                        "\"url\":\"https://acme.test/\xef\xbf\xbd\\\"b\",\"host\":\"t.acme.test\","
                        "\"ip\":\"2001:db8::9\",\"ua\":\"Mozilla/5.0\",\"method\":\"GET\"}");
}

static void test_visit_json_open_without_client(void **state)
{
    char none[] = "";
    const Link link = {.kind = LINK_OPEN, .id = 4711, .server = 7, .url = none};
    const Visit visit = {.node = 1, .at_us = 5, .host = "t.acme.test", .ip = "", .method = "HEAD"};
    g_autofree char *json = visit_json(&link, &visit);

    (void)state;
    assert_int_equal(visit_type(&link), EVENT_OPEN);
    assert_string_equal(json, "{\"v\":1,\"node\":1,\"at\":5,\"id\":4711,\"server\":7,"
                              "\"host\":\"t.acme.test\",\"method\":\"HEAD\"}");
}

/* Bounded, valid UTF-8, and no character cut through. */
static void test_visit_json_agents(void **state)
{
    static const struct {
        const char *unit;
        gsize units, wanted; /* octets */
    } cases[] = {
        {"a", 511, 511},
        {"a", 512, 512},
        {"a", 513, 512},
        {"a", 100000, 512},
        {"\xc3\xa9", 256, 512},
        {"\xc3\xa9", 257, 512},
        {"\xe2\x82\xac", 171, 510},
        {"\xe2\x82\xac", 170, 510},
        {"\xf0\x9f\x98\x80", 129, 512},
        {"\xff", 170, 510},
        {"\xff", 1000, 510},
        {"\"", 600, 512},
        {"\x01", 600, 512},
        {"", 1, 0},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) agent = g_string_new(NULL);
        for (gsize unit = 0; unit < cases[i].units; unit++)
            g_string_append(agent, cases[i].unit);
        const Visit visit = {
            .node = 1, .host = "t.acme.test", .ip = "", .agent = agent->str, .method = "GET"};
        g_autofree char *json = visit_json(&click, &visit);
        json_object *object = json_tokener_parse(json);
        const char *ua = text_of(object, "ua");
        assert_non_null(ua);
        assert_int_equal(strlen(ua), cases[i].wanted);
        assert_true(g_utf8_validate(ua, -1, NULL));
        json_object_put(object);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_visit_json_click),
        cmocka_unit_test(test_visit_json_open_without_client),
        cmocka_unit_test(test_visit_json_agents),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
