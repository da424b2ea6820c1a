/* SPDX-License-Identifier: MIT */
#include "api/v1_request.h"

#include "api/json_body.h"

#include <string.h>

#include "api/v1_answer.h"
#include "lib/base/error.h"
#include "tests/lib/testing.h"

#define JSON "application/json"
#define FORM "application/x-www-form-urlencoded"

static json_object *read_v1(const char *type, const char *query, const char *body, GError **error)
{
    const V1Input input = {type, query, body, strlen(body)};

    return v1_request_parameters(&input, error);
}

static void test_v1_request_parameters_good(void **state)
{
    (void)state;
    static const struct {
        const char *type, *query, *body, *object;
    } cases[] = {
        {JSON, NULL, "{\"a\":1}", "{\"a\":1}"},
        {JSON, NULL, " {\"a\" : [1, {\"b\":\"x:\\\":y\"}]}\r\n",
         "{\"a\":[1,{\"b\":\"x:\\\":y\"}]}"},
        {"Application/JSON; charset=utf-8", NULL, "{}", "{}"},
        {JSON, NULL, "", "{}"},
        {JSON, "a=2&b=x%20y+z", "{\"a\":1,\"c\":3}", "{\"a\":\"2\",\"c\":3,\"b\":\"x y z\"}"},
        {NULL, NULL, "{\"a\":1}", "{}"},
        {"text/plain", NULL, "params={}", "{}"},
        {FORM, NULL, "params=%7B%22a%22%3A1%7D", "{\"a\":1}"},
        {FORM, NULL, "to=x&from=y", "{}"},
        {FORM, NULL, "params=", "{}"},
        {NULL, "params=%7B%22a%22%3A1%7D", "", "{\"a\":1}"},
        {FORM, "params=%7B%22a%22%3A1%7D", "params=%7B%22a%22%3A2%7D", "{\"a\":2}"},
        {JSON, NULL, "{\"a\":{\"x\":1},\"b\":{\"x\":2}}", "{\"a\":{\"x\":1},\"b\":{\"x\":2}}"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        json_object *object = read_v1(cases[i].type, cases[i].query, cases[i].body, &error);
        if (!object)
            fail_msg("case %u: %s", i, error->message);
        assert_string_equal(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN),
                            cases[i].object);
        json_object_put(object);
    }
}

static void test_v1_request_parameters_bad(void **state)
{
    (void)state;
    static const struct {
        const char *type, *query, *body;
    } cases[] = {
        {JSON, NULL, "{"},
        {JSON, NULL, "[]"},
        {JSON, NULL, "1"},
        {JSON, NULL, "\"x\""},
        {JSON, NULL, "null"},
        {JSON, NULL, " "},
        {JSON, NULL, "{\"a\":1}x"},
        {JSON, NULL, "{\"a\":1}{}"},
        {JSON, NULL, "{'a':1}"},
        {JSON, NULL, "{a:1}"},
        {JSON, NULL, "{\"a\":1,}"},
        {JSON, NULL, "{\"a\":\"\xff\"}"},
        {JSON, NULL, "{\"a\":\"x\ny\"}"},
        {JSON, NULL, "/* */ {\"a\":1}"},
        {JSON, NULL, "{\"a\":1,\"a\":1}"},
        {JSON, NULL, "{\"a\":1,\"\\u0061\":2}"},
        {JSON, NULL, "{\"b\":[{\"a\":1,\"a\":2}]}"},
        {JSON, "a=%zz", "{}"},
        {JSON, "a=%ff", "{}"},
        {FORM, NULL, "params=%"},
        {FORM, NULL, "params=x"},
        {FORM, NULL, "params=%5B%5D"},
        {NULL, "params=%7B", ""},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        GError *error = NULL;
        if (read_v1(cases[i].type, cases[i].query, cases[i].body, &error))
            fail_msg("case %u was taken", i);
        assert_error_code(error, INVALID);
    }
}

static void test_v1_request_parameters_nul(void **state)
{
    (void)state;
    const V1Input json = {JSON, NULL, "{}\0", 3}, form = {FORM, NULL, "a\0b", 3};
    GError *error = NULL;

    assert_null(v1_request_parameters(&json, &error));
    assert_error_code(error, INVALID);
    error = NULL;
    assert_null(v1_request_parameters(&form, &error));
    assert_error_code(error, INVALID);
}

static void test_v1_request_parameters_bounds(void **state)
{
    (void)state;
    g_autoptr(GString) deep = g_string_new("{\"a\":"), wide = g_string_new("{");
    GError *error = NULL;

    for (guint i = 0; i < JSON_BODY_DEPTH_MAX; i++)
        g_string_append_c(deep, '[');
    for (guint i = 0; i < JSON_BODY_DEPTH_MAX; i++)
        g_string_append_c(deep, ']');
    g_string_append_c(deep, '}');
    assert_null(read_v1(JSON, NULL, deep->str, &error));
    assert_non_null(strstr(error->message, "deeper"));
    assert_error_code(error, INVALID);
    error = NULL;
    for (guint i = 0; i < JSON_BODY_NAMES_MAX; i++)
        g_string_append_printf(wide, "%s\"%u\":1", i ? "," : "", i);
    g_string_append_c(wide, '}');
    json_object *object = read_v1(JSON, NULL, wide->str, &error);
    assert_int_equal(json_object_object_length(object), JSON_BODY_NAMES_MAX);
    json_object_put(object);
    g_string_truncate(wide, wide->len - 1);
    g_string_append(wide, ",\"x\":1}");
    assert_null(read_v1(JSON, NULL, wide->str, &error));
    assert_error_code(error, INVALID);
}

/* head, then unit so many times, then tail. */
static char *repeated(const char *head, const char *unit, guint times, const char *tail)
{
    GString *text = g_string_new(head);

    for (guint i = 0; i < times; i++)
        g_string_append(text, unit);
    return g_string_free(g_string_append(text, tail), FALSE);
}

static void test_v1_request_parameters_values(void **state)
{
    (void)state;
    static const struct {
        const char *type, *head, *unit;
        guint times; /* that are taken */
        const char *tail, *refusal;
    } cases[] = {
        {JSON, "{\"a\":[0", ",0", JSON_BODY_VALUES_MAX - 2, "]}", "values"},
        {JSON, "{\"a\":[0", ",{}", JSON_BODY_VALUES_MAX / 2 - 1, "]}", "values"},
        {JSON, "{\"a\":[0", ",[]", JSON_BODY_VALUES_MAX / 2 - 1, "]}", "values"},
        {JSON, "{\"a\":\"", ",[{", JSON_BODY_VALUES_MAX, "\"}", NULL},
        {FORM, "a=b", "&c=d", V1_FORM_FIELDS_MAX - 1, "", "fields"},
        {FORM, "params=%7B%22a%22%3A%5B0", "%2C%7B%7D", JSON_BODY_VALUES_MAX / 2 - 1, "%5D%7D",
         "values"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        GError *error = NULL;
        g_autofree char *most =
            repeated(cases[i].head, cases[i].unit, cases[i].times, cases[i].tail);
        g_autofree char *more =
            repeated(cases[i].head, cases[i].unit, cases[i].times + 1, cases[i].tail);
        json_object *object = read_v1(cases[i].type, NULL, most, &error);
        assert_non_null(object);
        json_object_put(object);
        if (!cases[i].refusal)
            continue;
        assert_null(read_v1(cases[i].type, NULL, more, &error));
        assert_non_null(strstr(error->message, cases[i].refusal));
        assert_error_code(error, INVALID);
    }
}

static void test_v1_request_is_for(void **state)
{
    (void)state;
    static const char call[] = "/api/v1/send/raw";
    static const char *const good[] = {"/api/v1/send/raw", "//api/v1/send/raw", "/api/v1/send/raw/",
                                       "///api//v1/send///raw//"};
    static const char *const bad[] = {"",
                                      "/",
                                      "*",
                                      "//",
                                      "api/v1/send/raw",
                                      "/api/v1/send",
                                      "/api/v1/send/",
                                      "/api/v1/send/ra",
                                      "/api/v1/send/raw.json",
                                      "/api/v1/send/rawx",
                                      "/api/v1/send/raw/x",
                                      "/api/v1/sendraw",
                                      "/api/v1/send/./raw",
                                      "/API/v1/send/raw",
                                      "/api/v1%2Fsend/raw",
                                      "/api/v1/send/r/aw"};

    for (guint i = 0; i < G_N_ELEMENTS(good); i++)
        if (!v1_request_is_for(good[i], call))
            fail_msg("not taken: %s", good[i]);
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        if (v1_request_is_for(bad[i], call))
            fail_msg("taken: %s", bad[i]);
}

static void check_text(GBytes *answer, const char *wanted)
{
    gsize length;
    const char *text = g_bytes_get_data(answer, &length);

    assert_int_equal(length, strlen(wanted));
    assert_memory_equal(text, wanted, length);
    g_bytes_unref(answer);
}

static void test_v1_answer_texts(void **state)
{
    (void)state;
    json_object *data = json_object_new_object();

    json_object_object_add(data, "a", json_object_new_string("</script>&\"/"));
    check_text(v1_answer_success(data, 1234567),
               "{\"status\":\"success\",\"time\":1.234,\"flags\":{},"
               "\"data\":{\"a\":\"\\u003c/script\\u003e\\u0026\\\"/\"}}");
    check_text(v1_answer_error(V1_ERROR_INVALID_KEY, NULL, "a<\xff", 0),
               "{\"status\":\"error\",\"time\":0.000,\"flags\":{},\"data\":{\"code\":"
               "\"InvalidServerAPIKey\","
               "\"message\":\"The API token provided in X-Server-API-Key was not valid.\","
               "\"token\":\"a\\u003c\xef\xbf\xbd\"}}");
    check_text(v1_answer_error(V1_ERROR_SUSPENDED, NULL, NULL, 5000),
               "{\"status\":\"error\",\"time\":0.005,\"flags\":{},\"data\":{\"code\":"
               "\"ServerSuspended\"}}");
    check_text(
        v1_answer_error(V1_ERROR_PARAMETER, "`id` parameter is required but is missing", NULL, 0),
        "{\"status\":\"parameter-error\",\"time\":0.000,\"flags\":{},"
        "\"data\":{\"message\":\"`id` parameter is required but is missing\"}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_v1_request_is_for),
        cmocka_unit_test(test_v1_request_parameters_good),
        cmocka_unit_test(test_v1_request_parameters_bad),
        cmocka_unit_test(test_v1_request_parameters_nul),
        cmocka_unit_test(test_v1_request_parameters_bounds),
        cmocka_unit_test(test_v1_request_parameters_values),
        cmocka_unit_test(test_v1_answer_texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
