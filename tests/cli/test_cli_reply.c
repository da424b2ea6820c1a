/* SPDX-License-Identifier: MIT */
/* `outrider reply classify' as an admin types it. */
#include <json-c/json.h>
#include <string.h>

#include "lib/wire/reply.h"
#include "tests/lib/testing.h"

static int run(const char *const *words, char **out, char **err)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    g_autoptr(GError) error = NULL;
    int status = 0;

    g_ptr_array_add(argv, (gpointer)(guintptr)OUTRIDER_TEST_CLI);
    for (const char *word = "reply"; word; word = *words++)
        g_ptr_array_add(argv, (gpointer)(guintptr)word);
    g_ptr_array_add(argv, NULL);
    g_spawn_sync(NULL, (char **)argv->pdata, NULL, G_SPAWN_DEFAULT, NULL, NULL, out, err, &status,
                 &error);
    assert_no_error(error);
    return status >> 8;
}

static void test_reply_classify_wrong(void **state)
{
    static const struct {
        const char *words[6];
        int status;
        const char *says;
    } cases[] = {
        {{"classify", NULL}, 64, "arguments are missing"},
        {{"classify", "--stage", NULL}, 64, "a value is missing"},
        {{"classify", "--stage", "quit", "550", NULL},
         65,
         "stage: \"quit\": allowed are unknown, connect"},
        {{"classify", "--stage", "\x1b[2J", "550", NULL}, 65, "stage: \"\\x1b[2J\""},
        {{"classify", "--nope", "550", NULL}, 64, "unknown option"},
        {{"judge", NULL}, 64, "unknown verb"},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *out = NULL;
        g_autofree char *err = NULL;
        assert_int_equal(run(cases[i].words, &out, &err), cases[i].status);
        assert_non_null(strstr(err, cases[i].says));
        assert_string_equal(out, "");
    }
}

static void test_reply_classify_json(void **state)
{
    static const struct {
        const char *words[8];
        const char *fields[7]; /* class, permanence, provider, stage, status, rule, words */
    } cases[] = {
        {{"classify", "--json", "550", "5.1.1", "User", "unknown", NULL},
         {"address", "permanent", "unknown", "unknown", "5.1.1", "no_user", "User unknown"}},
        {{"classify", "--json", "--stage", "mail", "550 User unknown", NULL},
         {"policy", "permanent", "unknown", "mail", NULL, "5xx", NULL}},
        {{"classify", "--json", "--relay", "mx1.gmail-smtp-in.l.google.com", "--", "451 no", NULL},
         {"capacity", "temporary", "Gmail", "unknown", NULL, "4xx", NULL}},
        {{"classify", "--json",
          "host mx.example[192.0.2.1] said: 550 \xff quota (in reply to RCPT TO command)", NULL},
         {"capacity", "permanent", "unknown", "rcpt", NULL, "mailbox_full", "quota"}},
        {{"classify", "--json", "250 2.0.0 Ok", NULL},
         {"none", "uncertain", "unknown", "unknown", "2.0.0", NULL, NULL}},
    };
    static const char *const keys[] = {"class",  "permanence", "provider", "stage",
                                       "status", "rule",       "words"};

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *out = NULL;
        g_autofree char *err = NULL;
        assert_int_equal(run(cases[i].words, &out, &err), 0);
        struct json_object *record = json_tokener_parse(out);
        assert_non_null(record);
        for (size_t k = 0; k < G_N_ELEMENTS(keys); k++) {
            struct json_object *value = json_object_object_get(record, keys[k]);
            if (g_strcmp0(json_object_get_string(value), cases[i].fields[k]) != 0)
                fail_msg("%s: %s", out, keys[k]);
        }
        json_object_put(record);
    }
}

static void test_reply_classify_text(void **state)
{
    static const char *const words[] = {"classify", "550 5.2.2 quota\x1b[2J full", NULL};
    static const char *const parts[] = {"class", "capacity", "no room now", "permanent",
                                        "mailbox_full"};
    g_autofree char *out = NULL;
    g_autofree char *err = NULL;

    (void)state;
    assert_int_equal(run(words, &out, &err), 0);
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        assert_non_null(strstr(out, parts[i]));
    assert_null(strchr(out, '\x1b'));
}

/* The manual names each class. */
static void test_reply_class_in_manual(void **state)
{
    g_autofree char *page = NULL;

    (void)state;
    assert_true(g_file_get_contents(OUTRIDER_TEST_SRCDIR "/man/outrider.1", &page, NULL, NULL));
    for (guint i = REPLY_NONE + 1; i < REPLY_CLASS_COUNT; i++) {
        g_autofree char *item =
            g_strdup_printf("\n.It Cm %s\n%s\n", reply_class_name((ReplyClass)i),
                            reply_class_meaning((ReplyClass)i));
        if (!strstr(page, item))
            fail_msg("man/outrider.1 lacks%s", item);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reply_classify_wrong),
        cmocka_unit_test(test_reply_classify_json),
        cmocka_unit_test(test_reply_classify_text),
        cmocka_unit_test(test_reply_class_in_manual),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
