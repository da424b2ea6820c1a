/* SPDX-License-Identifier: MIT */
/* What is counted of credentials and of sources comes into the journal, once. */
#include "lib/admission/use_count.h"

#include <json-c/json.h>
#include <string.h>

#include "lib/journal/reader.h"
#include "tests/lib/testing.h"

#define PROGRAM "test"

static const EdgeCredential one = {.id = 7, .server = 2}, other = {.id = 8, .server = 3};

static int setup(void **state)
{
    *state = g_dir_make_tmp("outrider-uses-XXXXXX", NULL);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    char *argv[] = {(char[]){"rm"}, (char[]){"-rf"}, (char[]){"--"}, *state, NULL};

    g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL);
    g_free(*state);
    return 0;
}

static void write_all(UseCount *uses, const char *spool)
{
    GError *error = NULL;
    g_autoptr(Journal) journal = journal_open(spool, PROGRAM, NULL, &error);

    assert_no_error(error);
    assert_true(use_count_write(uses, journal, &error));
    assert_no_error(error);
}

/* The records, as "TYPE JSON" without the time. */
static GPtrArray *records(const char *spool)
{
    GPtrArray *found = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(JournalReader) reader = journal_reader_open(spool, PROGRAM, 0, NULL);
    JournalRecord record;

    while (journal_reader_next(reader, &record, NULL) == JOURNAL_READ_RECORD) {
        json_object *json = json_tokener_parse(record.json);
        assert_true(json_object_get_int64(json_object_object_get(json, "at")) > 0);
        json_object_object_del(json, "at");
        g_ptr_array_add(
            found, g_strdup_printf("%u %s", record.type,
                                   json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN)));
        json_object_put(json);
    }
    return found;
}

static gboolean has(const GPtrArray *found, EventType type, const char *json)
{
    g_autofree char *wanted = g_strdup_printf("%u %s", type, json);

    return g_ptr_array_find_with_equal_func((GPtrArray *)(guintptr)found, wanted, g_str_equal,
                                            NULL);
}

static void test_use_count_is_written_once(void **state)
{
    g_autoptr(GPtrArray) found = NULL;
    UseCount *uses = use_count_new(5);

    assert_true(use_count_is_empty(uses));
    use_count_used(uses, &one);
    use_count_used(uses, &other);
    use_count_used(uses, &one);
    use_count_failed(uses, "192.0.2.1", "PLAIN", "acme/main", "unknown");
    use_count_failed(uses, "192.0.2.1", "CRAM-MD5", "other", "expired");
    use_count_failed(uses, "2001:db8::/64", "API", NULL, "unknown");
    assert_false(use_count_is_empty(uses));
    write_all(uses, *state);
    assert_true(use_count_is_empty(uses));
    write_all(uses, *state);
    use_count_free(uses);
    found = records(*state);
    assert_int_equal(found->len, 4);
    assert_true(has(found, EVENT_CREDENTIAL_USED,
                    "{\"v\":1,\"node\":5,\"server\":2,\"credential\":7,\"count\":2}"));
    assert_true(has(found, EVENT_CREDENTIAL_USED,
                    "{\"v\":1,\"node\":5,\"server\":3,\"credential\":8,\"count\":1}"));
    assert_true(has(found, EVENT_AUTH_FAILED,
                    "{\"v\":1,\"node\":5,\"ip\":\"192.0.2.1\",\"mechanism\":\"PLAIN\",\"username\":"
                    "\"acme\\/main\","
                    "\"reason\":\"unknown\",\"count\":2}"));
    assert_true(has(found, EVENT_AUTH_FAILED,
                    "{\"v\":1,\"node\":5,\"ip\":\"2001:db8::\\/"
                    "64\",\"mechanism\":\"API\",\"reason\":\"unknown\",\"count\":1}"));
}

/* Some clients send the key as user name as well. */
static void test_use_count_tells_no_key(void **state)
{
    static const struct {
        const char *username;
        const char *kept; /* NULL: nothing */
    } cases[] = {
        {"app", "app"},
        {"acme/main", "acme/main"},
        {"abcdefghijklmnopqrs", "abcdefghijklmnopqrs"},
        {"abcdefghijklmnopqrst", NULL},
        {"acme/ABCDEFGHIJ0123456789", NULL},
        {"\xff", "\xef\xbf\xbd"},
        {"", ""},
    };
    UseCount *uses = use_count_new(1);

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *source = g_strdup_printf("192.0.2.%u", i);
        use_count_failed(uses, source, "PLAIN", cases[i].username, "unknown");
    }
    write_all(uses, *state);
    use_count_free(uses);
    g_autoptr(GPtrArray) found = records(*state);
    assert_int_equal(found->len, G_N_ELEMENTS(cases));
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        json_object *name = cases[i].kept ? json_object_new_string(cases[i].kept) : NULL;
        g_autofree char *json = g_strdup_printf(
            "{\"v\":1,\"node\":1,\"ip\":\"192.0.2.%u\",\"mechanism\":\"PLAIN\",%s%s%s\"reason\":"
            "\"unknown\",\"count\":1}",
            i, name ? "\"username\":" : "",
            name ? json_object_to_json_string_ext(name, JSON_C_TO_STRING_PLAIN) : "",
            name ? "," : "");
        if (!has(found, EVENT_AUTH_FAILED, json))
            fail_msg("case %u: %s", i, json);
        json_object_put(name);
    }
}

static void test_use_count_is_bounded(void **state)
{
    UseCount *uses = use_count_new(1);

    for (guint32 i = 1; i <= USE_COUNT_MAX + 10; i++) {
        const EdgeCredential credential = {.id = i, .server = 1};
        use_count_used(uses, &credential);
    }
    write_all(uses, *state);
    use_count_free(uses);
    g_autoptr(GPtrArray) found = records(*state);
    assert_int_equal(found->len, USE_COUNT_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_use_count_is_written_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_use_count_tells_no_key, setup, teardown),
        cmocka_unit_test_setup_teardown(test_use_count_is_bounded, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
