/* SPDX-License-Identifier: MIT */
#include "api/v1_lookup.h"

#include "lib/base/id.h"
#include "tests/lib/testing.h"

#define ALL     ((1U << V1_EXPANSION_COUNT) - 1)
#define MISSING "`id` parameter is required but is missing"
#define WRONG   "`id` must be a whole number"

static void test_v1_lookup_read(void **state)
{
    (void)state;
    static const struct {
        const char *parameters;
        guint64 id;
        guint expansions;
        const char *wrong;
    } cases[] = {
        {"{\"id\":7}", 7, 0, NULL},
        {"{\"id\":\" 0007 \"}", 7, 0, NULL},
        {"{\"id\":9007199254740991}", ID_MAX, 0, NULL},
        {"{\"id\":7,\"_expansions\":true}", 7, ALL, NULL},
        {"{\"id\":7,\"_expansions\":[\"details\",\"status\",\"x\",1,null,\"status\"]}", 7,
         V1_EXPANSION_STATUS | V1_EXPANSION_DETAILS, NULL},
        {"{\"id\":7,\"_expansions\":false}", 7, 0, NULL},
        {"{\"id\":7,\"_expansions\":\"true\"}", 7, 0, NULL},
        {"{\"id\":7,\"_expansions\":{\"status\":true}}", 7, 0, NULL},
        /* No id of ours. */
        {"{\"id\":0}", 0, 0, NULL},
        {"{\"id\":-7}", 0, 0, NULL},
        {"{\"id\":9007199254740992}", 0, 0, NULL},
        {"{\"id\":99999999999999999999999}", 0, 0, NULL},
        {"{\"id\":\"99999999999999999999999\"}", 0, 0, NULL},
        {"{\"id\":\"0\"}", 0, 0, NULL},
        /* Blank. */
        {"{}", 0, 0, MISSING},
        {"{\"id\":null}", 0, 0, MISSING},
        {"{\"id\":\" \\n\"}", 0, 0, MISSING},
        {"{\"id\":false}", 0, 0, MISSING},
        {"{\"id\":[]}", 0, 0, MISSING},
        {"{\"id\":{}}", 0, 0, MISSING},
        /* Of another type. */
        {"{\"id\":true}", 0, 0, WRONG},
        {"{\"id\":7.0}", 0, 0, WRONG},
        {"{\"id\":[7]}", 0, 0, WRONG},
        {"{\"id\":{\"token\":\"x\"}}", 0, 0, WRONG},
        {"{\"id\":\"7x\"}", 0, 0, WRONG},
        {"{\"id\":\"+7\"}", 0, 0, WRONG},
        {"{\"id\":\"7\\u0000\"}", 0, 0, WRONG},
        {"{\"id\":\"0x7\"}", 0, 0, WRONG},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        json_object *parameters = json_tokener_parse(cases[i].parameters);
        V1Lookup lookup = {0};
        g_autofree char *text = NULL;
        V1Error wrong = v1_lookup_read(parameters, &lookup, &text);
        if (wrong != (cases[i].wrong ? V1_ERROR_PARAMETER : V1_ERROR_NONE) ||
            g_strcmp0(text, cases[i].wrong) != 0)
            fail_msg("case %u: %d %s", i, wrong, text ? text : "-");
        if (!cases[i].wrong) {
            assert_int_equal(lookup.id, cases[i].id);
            assert_int_equal(lookup.expansions, cases[i].expansions);
            assert_ptr_equal(lookup.given, json_object_object_get(parameters, "id"));
        }
        json_object_put(parameters);
    }
}

static void test_v1_expansions_need(void **state)
{
    (void)state;
    assert_false(v1_expansions_need_bytes(V1_EXPANSION_STATUS | V1_EXPANSION_ACTIVITY_ENTRIES));
    assert_true(v1_expansions_need_bytes(V1_EXPANSION_STATUS | V1_EXPANSION_HEADERS));
    assert_false(v1_expansions_need_visits(V1_EXPANSION_STATUS | V1_EXPANSION_RAW_MESSAGE));
    assert_true(v1_expansions_need_visits(ALL));
    assert_false(v1_expansions_need_bytes(0) || v1_expansions_need_visits(0));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_v1_lookup_read),
        cmocka_unit_test(test_v1_expansions_need),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
