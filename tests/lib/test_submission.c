/* SPDX-License-Identifier: MIT */
#include "lib/submission/submission.h"

#include <json-c/json.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/journal/journal.h"
#include "lib/mime/field.h"
#include "lib/submission/addressee.h"
#include "lib/submission/raw.h"
#include "lib/submission/v1_error.h"
#include "tests/lib/testing.h"

static void test_addressee_read_cases(void **state)
{
    (void)state;
    static const struct {
        const char *text, *written, *address; /* NULL: none */
    } cases[] = {
        {"a@x.test", "a@x.test", "a@x.test"},
        {"A B <A@X.Test>", "A@X.Test", "A@x.test"},
        {"j@b\xc3\xbc"
         "cher.test",
         "j@b\xc3\xbc"
         "cher.test",
         "j@xn--bcher-kva.test"},
        /* Names that should stand in quotes. */
        {"Doe, Inc. <a@x.test>", "a@x.test", "a@x.test"},
        {"A@x.test <a@x.test>", "a@x.test", "a@x.test"},
        {"jo@y.test <a@x.test>", NULL, NULL},
        {" Jo [Sales]: \\ \"x <a@x.test> ", "a@x.test", "a@x.test"},
        {"(Jo <a@x.test>", "a@x.test", "a@x.test"},
        {"jo@y.test, Doe <a@x.test>", NULL, NULL},
        {"jo@y.test, Jo [x] <a@x.test>", NULL, NULL},
        {"Jo: <b@x.test> <a@x.test>", NULL, NULL},
        {"Jo > [x] <a@x.test>", NULL, NULL},
        {"Jo: <a@x.test> x", NULL, NULL},
        {"Jo: <a@x.test", NULL, NULL},
        {"Jo: <a@x.test>, b@x.test", NULL, NULL},
        {"Jo\r\nBcc: <a@x.test>", NULL, NULL},
        {"Jo: <a@x.test,b@x.test>", NULL, NULL},
        {"Jo: <nobody>", NULL, NULL},
        {"Jo: <>", NULL, NULL},
        {"", NULL, NULL},
        {"nobody", NULL, NULL},
        {"a@", NULL, NULL},
        {"@x.test", NULL, NULL},
        {"a@x.test, b@x.test", NULL, NULL},
        {"a@x.test b@x.test", NULL, NULL},
        {"a@x.test\r\nBcc: b@x.test", NULL, NULL},
        {"a@x..test", NULL, NULL},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Addressee) read = addressee_read(cases[i].text);
        if (!read != !cases[i].address)
            fail_msg("%s", cases[i].text);
        if (!read)
            continue;
        assert_string_equal(read->written, cases[i].written);
        assert_string_equal(read->address, cases[i].address);
    }
}

static void test_addressee_read_long(void **state)
{
    (void)state;
    for (guint more = 0; more < 2; more++) {
        g_autofree char *local = g_strnfill(ADDRESSEE_MAX - strlen("@x.test") + more, 'a');
        g_autofree char *text = g_strconcat(local, "@x.test", NULL);
        g_autoptr(Addressee) read = addressee_read(text);
        assert_true(!read == (more > 0));
    }
}

static void test_addressees_add_parted(void **state)
{
    (void)state;
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify)addressee_free);
    g_autoptr(GError) error = NULL;

    assert_true(addressees_add(list, "to", "\"B, C\" <b@x.test>, ,c@x.test (d, e),", 50, &error));
    assert_int_equal(list->len, 2);
    assert_false(addressees_add(list, "to", "d@x.test, nobody", 50, &error));
    assert_string_equal(error->message, "`to` has something in it that is no address:  nobody");
    assert_error_code(error, INVALID);
    assert_true(addressees_add(list, "to", "e@x.test, f@x.test, nobody", 4, &error));
    assert_int_equal(list->len, 5);
}

/* An entry of a list that is one already is not parted where its name has a comma. */
static void test_addressees_add_entry_whole(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        guint entry, parted; /* how many; 0: no address */
    } cases[] = {
        {"a@x.test", 1, 1},
        {"Doe, Jo <a@x.test>", 1, 0},
        {"a@x.test <a@x.test>, b@x.test", 2, 2},
        {"jo@y.test <a@x.test>, b@x.test", 0, 0},
        {"a@x.test, b@x.test", 2, 2},
        {"a@x.test, Doe, Jo <b@x.test>", 0, 0},
        {"nobody, b@x.test", 0, 0},
        {"Doe, Jo", 0, 0},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) entry = g_ptr_array_new_with_free_func((GDestroyNotify)addressee_free);
        g_autoptr(GPtrArray) parted =
            g_ptr_array_new_with_free_func((GDestroyNotify)addressee_free);
        gboolean good = addressees_add_entry(entry, "to", cases[i].text, 50, NULL);
        assert_int_equal(good ? entry->len : 0, cases[i].entry);
        good = addressees_add(parted, "to", cases[i].text, 50, NULL);
        assert_int_equal(good ? parted->len : 0, cases[i].parted);
    }
}

static void test_submission_add_same(void **state)
{
    (void)state;
    g_autoptr(Submission) submission = submission_new();

    assert_true(submission_add(submission, "A@x.test", "A@x.test"));
    assert_true(submission_add(submission, "b@x.test", "b@x.test"));
    assert_true(submission_add(submission, "a@X.test", "a@x.test"));
    assert_int_equal(submission->rcpts->len, 2);
    assert_int_equal(submission->names->len, 3);
    assert_int_equal(((SubmissionName *)submission->names->pdata[2])->index, 0);
}

static void test_submission_add_too_many(void **state)
{
    (void)state;
    g_autoptr(Submission) submission = submission_new();

    for (guint i = 0; i < SUBMISSION_RECIPIENTS_MAX; i++) {
        g_autofree char *address = g_strdup_printf("a%u@x.test", i);
        assert_true(submission_add(submission, address, address));
    }
    assert_false(submission_add(submission, "more@x.test", "more@x.test"));
    assert_true(submission_add(submission, "A0@x.test", "A0@x.test"));
    assert_int_equal(submission->rcpts->len, SUBMISSION_RECIPIENTS_MAX);
}

/* As many octets as may be, each of which JSON escapes, are no more than a record of the journal takes. */
static void test_submission_add_too_long(void **state)
{
    (void)state;
    g_autoptr(Submission) submission = submission_new();
    json_object *list = json_object_new_array();
    g_autofree char *quotes = g_strnfill(120, '"');
    guint n = 0;

    for (;; n++) {
        g_autofree char *address = g_strdup_printf("%s%04u", quotes, n);
        if (!submission_add(submission, address, address))
            break;
        json_object_array_add(list, json_object_new_string(address));
    }
    assert_in_range(n, 900, SUBMISSION_RECIPIENTS_MAX - 1);
    assert_int_equal(submission->rcpts->len, n);
    assert_true(submission->address_size <= SUBMISSION_ADDRESSES_MAX);
    assert_true(strlen(json_object_to_json_string_ext(list, JSON_C_TO_STRING_PLAIN)) <
                JOURNAL_JSON_MAX - 4096);
    json_object_put(list);
}

static void test_raw_read_cases(void **state)
{
    (void)state;
    static const struct {
        const char *octets;
        gsize length;
        const char *wrong; /* NULL: good */
    } cases[] = {
        {"A: b\n\nhi", 8, NULL},
        {"A: b\nno field\n\nhi", 17, "is no message: line 2 of it is no header field"},
        {"\nhi", 3, NULL},
        {" A: b\n\n", 7, "is no message: line 1 of it is no header field"},
        {"A: b\n\n\0", 7, "is no message: it has a NUL in it"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Submission) submission = submission_new();
        g_autoptr(GError) error = NULL;
        gboolean good = raw_read(cases[i].octets, cases[i].length, submission, &error);
        assert_true(good == !cases[i].wrong);
        if (!good)
            assert_string_equal(error->message, cases[i].wrong);
        else
            assert_string_equal(submission->body->str, "hi\r\n");
    }
}

static void test_v1_error_words_all(void **state)
{
    (void)state;
    for (int i = V1_ERROR_NONE + 1; i < V1_ERROR_COUNT; i++) {
        const V1ErrorWords *words = v1_error_words((V1Error)i);
        assert_non_null(words->status);
        assert_true(words->http >= 200 && words->http < 600);
        assert_true(words->code || g_str_equal(words->status, "parameter-error"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addressee_read_cases),
        cmocka_unit_test(test_addressee_read_long),
        cmocka_unit_test(test_addressees_add_parted),
        cmocka_unit_test(test_addressees_add_entry_whole),
        cmocka_unit_test(test_submission_add_same),
        cmocka_unit_test(test_submission_add_too_many),
        cmocka_unit_test(test_submission_add_too_long),
        cmocka_unit_test(test_raw_read_cases),
        cmocka_unit_test(test_v1_error_words_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
