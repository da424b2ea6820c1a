/* SPDX-License-Identifier: MIT */
/* Bodies and queries of API v2, and what is said of those that are wrong. */
#include "api/v2_field.h"

#include <string.h>

#include "api/v2_openapi.h"
#include "api/v2_query.h"
#include "lib/base/error.h"
#include "tests/lib/testing.h"

/* "name: option=text option=text". */
static char *read_body(DirectoryObject object, gboolean add, const char *json, gsize length,
                       V2Problem *problem)
{
    g_auto(V2Body) body = {0};
    GString *text = g_string_new(NULL);

    if (!v2_body_read(object, add, json, length, &body, problem)) {
        g_string_printf(text, "%s! %s", problem->field ? problem->field : "-", problem->message);
        return g_string_free(text, FALSE);
    }
    g_string_append_printf(text, "%s:", body.name ? body.name : "-");
    for (guint i = 0; i < body.options->len; i++) {
        const DirectoryOption *option = &g_array_index(body.options, DirectoryOption, i);
        g_string_append_printf(text, " %s=%s", option->option, option->text);
    }
    return g_string_free(text, FALSE);
}

typedef struct {
    DirectoryObject object;
    gboolean add;
    const char *json, *wanted;
} Case;

#define E DIRECTORY_ENDPOINT
#define R DIRECTORY_ROUTE

static void test_v2_body_read_good(void **state)
{
    static const Case cases[] = {
        {E, TRUE, "{\"name\":\"h\"}", "h:"},
        {E, TRUE,
         " {\"name\":\"h\",\"url\":\"http://x/"
         "\",\"attachments\":false,\"strip_replies\":true,\"timeout\":7}",
         "h: url=http://x/ attachments=no strip-replies=yes timeout=7"},
        {E, TRUE, "{\"name\":\"h\",\"smtp\":\"mx.test:25\",\"tls\":\"verify\"}",
         "h: smtp=mx.test:25 tls=verify"},
        {E, TRUE, "{\"name\":\"h\",\"address\":\"a@b.test\"}", "h: address=a@b.test"},
        {E, FALSE, "{\"name\":\"new\"}", "-: name=new"},
        {E, FALSE, "{}", "-:"},
        {E, FALSE, "{\"timeout\":-9223372036854775808}", "-: timeout=-9223372036854775808"},
        {R, TRUE, "{\"address\":\"a@b.test\",\"mode\":\"hold\",\"spam_mode\":\"fail\"}",
         "a@b.test: mode=hold spam=fail"},
        {R, TRUE, "{\"address\":\"a@b.test\",\"endpoints\":[\"x\",\"y z\"]}",
         "a@b.test: endpoint=x,y z"},
        {R, FALSE, "{\"endpoints\":[]}", "-: endpoint="},
        {R, FALSE, "{\"endpoints\":[\"\\\\u0000\"]}", "-: endpoint=\\u0000"},
        {R, FALSE, "{\"mode\":\"\\u0072eject\"}", "-: mode=reject"},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(V2Problem) problem = {0};
        g_autofree char *got = read_body(cases[i].object, cases[i].add, cases[i].json,
                                         strlen(cases[i].json), &problem);
        assert_string_equal(got, cases[i].wanted);
    }
}

static void test_v2_body_read_wrong(void **state)
{
    /* wanted: how it begins; "FIELD! ", "-! " for no single one. */
    static const Case cases[] = {
        {E, TRUE, "", "-! "},
        {E, TRUE, "null", "-! "},
        {E, TRUE, "[]", "-! "},
        {E, TRUE, "\"x\"", "-! "},
        {E, TRUE, "{", "-! "},
        {E, TRUE, "{}x", "-! "},
        {E, TRUE, "{'name':'x'}", "-! "},
        {E, TRUE, "{\"name\":\"a\",\"name\":\"b\"}", "-! a name stands twice"},
        {E, TRUE, "{\"name\":\"\xff\"}", "-! "},
        {E, TRUE, "{}", "name! \"name\": is missing"},
        {E, TRUE, "{\"name\":null}", "name! "},
        {E, TRUE, "{\"name\":1}", "name! "},
        {E, TRUE, "{\"name\":\"a\\u0000b\"}", "-! the parameters have a NUL"},
        {E, TRUE, "{\"name\":\"h\",\"url\":null}", "url! \"url\": may not be null"},
        {E, TRUE, "{\"name\":\"h\",\"url\":[\"http://x/\"]}", "url! "},
        {E, TRUE, "{\"name\":\"h\",\"url\":{}}", "url! "},
        {E, TRUE, "{\"name\":\"h\",\"url\":\"a\\u0000\"}", "-! "},
        {E, TRUE, "{\"name\":\"h\",\"timeout\":\"7\"}", "timeout! \"timeout\": must be an integer"},
        {E, TRUE, "{\"name\":\"h\",\"timeout\":7.0}", "timeout! "},
        {E, TRUE, "{\"name\":\"h\",\"timeout\":true}", "timeout! "},
        {E, TRUE, "{\"name\":\"h\",\"attachments\":\"yes\"}",
         "attachments! \"attachments\": must be true or false"},
        {E, TRUE, "{\"name\":\"h\",\"attachments\":1}", "attachments! "},
        {E, TRUE, "{\"name\":\"h\",\"colour\":1}", "colour! \"colour\": is unknown"},
        {E, TRUE, "{\"name\":\"h\",\"\":1}", "! \"\": is unknown"},
        {E, TRUE, "{\"name\":\"h\",\"strip-replies\":true}", "strip-replies! "},
        {E, TRUE, "{\"name\":\"h\",\"URL\":\"http://x/\"}", "URL! "},
        {E, FALSE, "{\"kind\":\"smtp\"}", "kind! \"kind\": cannot be set"},
        {E, FALSE, "{\"id\":7}", "id! \"id\": cannot be set"},
        {E, FALSE, "{\"server_id\":2}", "server_id! \"server_id\": cannot be set"},
        {E, FALSE, "{\"resolved\":\"127.0.0.1\"}", "resolved! \"resolved\": cannot be set"},
        {E, FALSE, "{\"host\":\"127.0.0.1\"}", "host! "},
        {E, FALSE, "{\"revision\":1}", "revision! "},
        {R, TRUE, "{\"name\":\"info\"}", "name! \"name\": cannot be set"},
        {R, TRUE, "{\"mode\":\"hold\"}", "address! \"address\": is missing"},
        {R, FALSE, "{\"address\":\"a@b.test\"}", "address! \"address\": cannot be set"},
        {R, FALSE, "{\"token\":\"x\"}", "token! \"token\": cannot be set"},
        {R, FALSE, "{\"endpoint\":\"x\"}", "endpoint! \"endpoint\": is unknown"},
        {R, FALSE, "{\"endpoints\":\"x\"}", "endpoints! \"endpoints\": must be an array"},
        {R, FALSE, "{\"endpoints\":null}", "endpoints! "},
        {R, FALSE, "{\"endpoints\":[1]}", "endpoints! "},
        {R, FALSE, "{\"endpoints\":[null]}", "endpoints! "},
        {R, FALSE, "{\"endpoints\":[\"a,b\"]}", "endpoints! "},
        {R, FALSE, "{\"endpoints\":[\"a\\u0000\"]}", "-! "},
        {R, FALSE, "{\"endpoints\":[[\"a\"]]}", "endpoints! "},
        {R, FALSE, "{\"spam\":\"fail\"}", "spam! "},
        {R, FALSE, "{\"mode\\u0000x\":\"hold\"}", "-! "},
        {R, FALSE, "{\"mode\":\"\\\\\\u0000\"}", "-! "},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(V2Problem) problem = {0};
        g_autofree char *got = read_body(cases[i].object, cases[i].add, cases[i].json,
                                         strlen(cases[i].json), &problem);
        if (!g_str_has_prefix(got, cases[i].wanted))
            fail_msg("%s: %s", cases[i].json, got);
        assert_int_equal(problem.code, V2_ERROR_INVALID);
    }
}

static void test_v2_problem_from_names_the_field(void **state)
{
    static const struct {
        DirectoryObject object;
        OutriderError error;
        const char *message;
        V2ErrorCode code;
        const char *field; /* NULL: none */
    } cases[] = {
        {E, OUTRIDER_ERROR_INVALID, "timeout: \"99\": allowed are 5 to 60", V2_ERROR_INVALID,
         "timeout"},
        {E, OUTRIDER_ERROR_INVALID, "strip-replies: \"x\": no", V2_ERROR_INVALID, "strip_replies"},
        {E, OUTRIDER_ERROR_INVALID, "endpoint: \"none\": allowed are", V2_ERROR_INVALID, "name"},
        {E, OUTRIDER_ERROR_INVALID, "--tls goes with --smtp", V2_ERROR_INVALID, "tls"},
        {E, OUTRIDER_ERROR_INVALID, "nothing to change: give one", V2_ERROR_INVALID, NULL},
        {E, OUTRIDER_ERROR_INVALID, "an endpoint has one", V2_ERROR_INVALID, NULL},
        {E, OUTRIDER_ERROR_EXISTS, "address: endpoint x sends on", V2_ERROR_EXISTS, "address"},
        {R, OUTRIDER_ERROR_INVALID, "--mode MODE or --endpoint NAME is missing", V2_ERROR_INVALID,
         "mode"},
        {R, OUTRIDER_ERROR_INVALID, "--endpoint: a route of mode hold has none", V2_ERROR_INVALID,
         "endpoints"},
        {R, OUTRIDER_ERROR_NOT_FOUND, "endpoint: the server has no endpoint x", V2_ERROR_INVALID,
         "endpoints"},
        {R, OUTRIDER_ERROR_NOT_FOUND, "route: neither has a domain", V2_ERROR_INVALID, "address"},
        {R, OUTRIDER_ERROR_REFUSED, "route: domain x is not verified", V2_ERROR_REFUSED, "address"},
        {R, OUTRIDER_ERROR_EXISTS, "route a/b x@y exists already", V2_ERROR_EXISTS, NULL},
        {R, OUTRIDER_ERROR_UNAVAILABLE, "database: gone", V2_ERROR_UNAVAILABLE, NULL},
        {R, OUTRIDER_ERROR_CONFLICT, "database: deadlock", V2_ERROR_UNAVAILABLE, NULL},
        {R, OUTRIDER_ERROR_UNKNOWN_RESULT, "database: gone", V2_ERROR_UNKNOWN_RESULT, NULL},
        {R, OUTRIDER_ERROR_INTERNAL, "secret of ours", V2_ERROR_INTERNAL, NULL},
        {R, OUTRIDER_ERROR_INVALID, "database: ROUTE_ADD: too long", V2_ERROR_INTERNAL, NULL},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error =
            g_error_new_literal(OUTRIDER_ERROR, (int)cases[i].error, cases[i].message);
        g_auto(V2Problem) problem = {0};
        v2_problem_from(&problem, cases[i].object, error);
        if (problem.code != cases[i].code || g_strcmp0(problem.field, cases[i].field) != 0)
            fail_msg("%s: code %d, field %s", cases[i].message, problem.code, problem.field);
        gboolean told = v2_errors[problem.code].status < 500;
        assert_int_equal(problem.message != NULL, told);
    }
}

static void test_v2_query_read(void **state)
{
    static const struct {
        V2Verb verb;
        const char *text, *wanted; /* "limit after force"; or "! field" */
    } cases[] = {
        {V2_LIST, NULL, "50 - 0"},
        {V2_LIST, "", "50 - 0"},
        {V2_LIST, "limit=1", "1 - 0"},
        {V2_LIST, "limit=1000&after=a%20b", "1000 a b 0"},
        {V2_LIST, "after=a+b", "50 a b 0"},
        {V2_LIST, "after=%C3%BC", "50 \xc3\xbc 0"},
        {V2_LIST, "limit=0", "! limit"},
        {V2_LIST, "limit=1001", "! limit"},
        {V2_LIST, "limit=-1", "! limit"},
        {V2_LIST, "limit=+5", "! limit"},
        {V2_LIST, "limit=5x", "! limit"},
        {V2_LIST, "limit=", "! limit"},
        {V2_LIST, "limit=99999999999999999999", "! limit"},
        {V2_LIST, "limit=1&limit=2", "! limit"},
        {V2_LIST, "after=", "! after"},
        {V2_LIST, "after=a%00b", "! -"},
        {V2_LIST, "after=%ff", "! -"},
        {V2_LIST, "after=%", "! -"},
        {V2_LIST, "limit", "! -"},
        {V2_LIST, "Limit=5", "! -"},
        {V2_LIST, "offset=5", "! -"},
        {V2_LIST, "force=true", "! -"},
        {V2_SHOW, "limit=5", "! -"},
        {V2_ADD, "force=true", "! -"},
        {V2_DELETE, "force=true", "50 - 1"},
        {V2_DELETE, "force=false", "50 - 0"},
        {V2_DELETE, "force=1", "! force"},
        {V2_DELETE, "force=", "! force"},
        {V2_DELETE, "after=x", "! -"},
    };
    g_auto(V2Path) path = {0};

    (void)state;
    assert_true(v2_path_read("/api/v2/organizations/a/servers/b/endpoints", &path));
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(V2Query) query = {0};
        g_auto(V2Problem) problem = {0};
        gboolean good =
            v2_query_read(path.resource, cases[i].verb, cases[i].text, &query, &problem);
        g_autofree char *got = good ? g_strdup_printf("%u %s %d", query.limit,
                                                      query.after ? query.after : "-", query.force)
                                    : g_strdup_printf("! %s", problem.field ? problem.field : "-");
        if (!g_str_equal(got, cases[i].wanted))
            fail_msg("%s: %s", cases[i].text, got);
    }
}

/* A route that leads to no endpoint that could be forced away. */
static void test_v2_query_read_force_where_it_is(void **state)
{
    g_auto(V2Path) path = {0};
    g_auto(V2Query) query = {0};
    g_auto(V2Problem) problem = {0};

    (void)state;
    assert_true(v2_path_read("/api/v2/organizations/a/servers/b/routes/x@y.test", &path));
    assert_false(v2_query_read(path.resource, V2_DELETE, "force=true", &query, &problem));
}

static void test_v2_record_show_lists(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) config = config_parse(
        "test", "return_path_domain = rp.example\nroute_domain = in.example\n", -1, &error);
    static const struct {
        const char *row, *wanted;
    } cases[] = {
        {"{\"domain\":\"d\",\"token\":\"t\",\"endpoints\":\"a,b c\"}",
         "{\"domain\":\"d\",\"token\":\"t\",\"endpoints\":[\"a\",\"b "
         "c\"],\"forward_address\":\"t@in.example\"}"},
        {"{\"domain\":null,\"token\":\"t\",\"endpoints\":null}",
         "{\"domain\":null,\"token\":\"t\",\"endpoints\":[],\"forward_address\":null}"},
    };

    (void)state;
    assert_no_error(error);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Record) row = json_tokener_parse(cases[i].row);
        v2_record_show(config, DIRECTORY_ROUTE, row);
        assert_string_equal(json_object_to_json_string_ext(row, JSON_C_TO_STRING_PLAIN),
                            cases[i].wanted);
    }
}

/* What the tables have stands there, whole. */
static void test_v2_openapi(void **state)
{
    g_autoptr(Record) document = json_tokener_parse(v2_openapi());
    Record *paths = json_object_object_get(document, "paths");
    guint n;
    const V2Resource *resources = v2_resources(&n);
    guint wanted = 0;

    (void)state;
    assert_string_equal(record_text(document, "openapi"), "3.1.0");
    for (guint i = 0; i < n; i++)
        wanted += resources[i].owner == V2_OF_EITHER ? 4 : 2;
    assert_int_equal(json_object_object_length(paths), wanted);
    Record *routes = json_object_object_get(
        paths, "/api/v2/organizations/{organization}/servers/{server}/routes/{name}");
    assert_non_null(json_object_object_get(routes, "patch"));
    assert_null(json_object_object_get(routes, "post"));
    assert_ptr_equal(v2_openapi(), v2_openapi());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_v2_body_read_good),
        cmocka_unit_test(test_v2_body_read_wrong),
        cmocka_unit_test(test_v2_problem_from_names_the_field),
        cmocka_unit_test(test_v2_query_read),
        cmocka_unit_test(test_v2_query_read_force_where_it_is),
        cmocka_unit_test(test_v2_record_show_lists),
        cmocka_unit_test(test_v2_openapi),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
