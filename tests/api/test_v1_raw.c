/* SPDX-License-Identifier: MIT */
#include "api/v1_raw.h"

#include <string.h>

#include "lib/mime/field.h"
#include "tests/lib/testing.h"

/* Parameters with these octets as data. */
static Submission *read_octets(const char *octets, gsize length, V1Error wrong, char **text)
{
    g_autofree char *data = g_base64_encode((const guchar *)octets, length);
    g_autofree char *json = g_strdup_printf(
        "{\"rcpt_to\":[\"a@x.test\"],\"mail_from\":\"m@acme.test\",\"data\":\"%s\"}", data);
    json_object *object = json_tokener_parse(json);
    V1Error first = V1_ERROR_NONE;
    Submission *submission = v1_raw_read(object, &first, text);

    json_object_put(object);
    assert_int_equal(first, submission ? V1_ERROR_NONE : wrong);
    return submission;
}

static void test_v1_raw_read_data(void **state)
{
    (void)state;
    static const struct {
        const char *octets;
        const char *fields[6];
        const char *body, *message_id;
    } cases[] = {
        {"From: a@b.test\r\n\r\nhi\r\n", {"From", " a@b.test"}, "hi\r\n", NULL},
        {"From: a@b.test\n\nhi", {"From", " a@b.test"}, "hi\r\n", NULL},
        {"From:a\r\rhi\rthere\n\n", {"From", "a"}, "hi\r\nthere\r\n\r\n", NULL},
        {"From: a\n b\n\tc\nX: y\n\n", {"From", " a\r\n b\r\n\tc", "X", " y"}, "", NULL},
        {"Message-ID: <i@j>\nX:\n", {"Message-ID", " <i@j>", "X", ""}, "", "i@j"},
        {"Message-ID:\n <i@j>\n\n\n.\n", {"Message-ID", "\r\n <i@j>"}, "\r\n.\r\n", "i@j"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = NULL;
        g_autoptr(Submission) raw =
            read_octets(cases[i].octets, strlen(cases[i].octets), V1_ERROR_NONE, &text);
        if (!raw)
            fail_msg("case %u: %s", i, text);
        for (guint j = 0; cases[i].fields[2 * j]; j++) {
            const MimeField *field = raw->fields->pdata[j];
            assert_string_equal(field->name, cases[i].fields[2 * j]);
            assert_string_equal(field->value, cases[i].fields[2 * j + 1]);
        }
        assert_string_equal(raw->body->str, cases[i].body);
        assert_true(g_strcmp0(raw->message_id, cases[i].message_id) == 0);
    }
}

/* More fields than may be are not even kept in memory. */
static void test_v1_raw_read_many_fields(void **state)
{
    (void)state;
    static const struct {
        guint fields;
        gboolean good;
    } cases[] = {{1000, TRUE}, {1001, FALSE}, {500000, FALSE}};

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) octets = g_string_new(NULL);
        g_autofree char *text = NULL;
        for (guint n = 0; n < cases[i].fields; n++)
            g_string_append(octets, "a:\n");
        g_string_append(octets, "\nbody\n");
        g_autoptr(Submission) raw =
            read_octets(octets->str, octets->len, V1_ERROR_TOO_LARGE, &text);
        assert_int_equal(raw != NULL, cases[i].good);
        assert_true(
            g_strcmp0(text, raw ? NULL : "The header of the message has more than 1000 fields") ==
            0);
    }
}

static void test_v1_raw_read_no_message(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "From a@b.test\r\n\r\n",   "hello",       " From: a@b.test\r\n\r\n", "From : a\r\n\r\n",
        "From: a\r\nbody\r\n\r\n", ": x\r\n\r\n", "J\xc3\xb6: x\r\n\r\n",
    };
    g_autofree char *nul = NULL;

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = NULL;
        if (read_octets(cases[i], strlen(cases[i]), V1_ERROR_PARAMETER, &text) ||
            !strstr(text, "`data`"))
            fail_msg("case %u: %s", i, text);
    }
    assert_null(read_octets("From: a\n\n\0", 10, V1_ERROR_PARAMETER, &nul));
}

/* Its padding may be missing, and nothing of the message is then. */
static void test_v1_raw_read_without_padding(void **state)
{
    (void)state;
    static const struct {
        const char *data, *body;
    } cases[] = {{"WDogeQoKaGVsbG8", "hello\r\n"},
                 {"WDogeQoK\r\naGVsbG8gd29ybGQ\r\n", "hello world\r\n"},
                 {"WDogeQoKaGVsbG8gZmluZQ==", "hello fine\r\n"},
                 {"WDogeQoKaGVsbG8gZmluZQ=", "hello fine\r\n"},
                 {"WDogeQoKaGVsbG8gZmluZQ", "hello fine\r\n"}};

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        json_object *object = json_object_new_object(), *list = json_object_new_array();
        g_autofree char *text = NULL;
        V1Error first = V1_ERROR_NONE;
        json_object_array_add(list, json_object_new_string("a@x.test"));
        json_object_object_add(object, "rcpt_to", list);
        json_object_object_add(object, "mail_from", json_object_new_string("m@acme.test"));
        json_object_object_add(object, "data", json_object_new_string(cases[i].data));
        g_autoptr(Submission) raw = v1_raw_read(object, &first, &text);
        json_object_put(object);
        assert_non_null(raw);
        assert_string_equal(raw->body->str, cases[i].body);
    }
}

static void test_v1_raw_read_long_header(void **state)
{
    (void)state;
    g_autoptr(GString) octets = g_string_new("X: y\n");
    g_autofree char *text = NULL;

    for (guint i = 0; i < 500000; i++)
        g_string_append(octets, " z\n");
    g_autoptr(Submission) raw = read_octets(octets->str, octets->len, V1_ERROR_NONE, &text);
    assert_int_equal(raw->fields->len, 1);
    assert_int_equal(submission_header_size(raw), 2 + 2 + 500000 * 4 + 2);
}

static void test_v1_raw_read_parameters(void **state)
{
    (void)state;
#define DATA "\"data\":\"WDogeQoKCg==\""
    static const struct {
        const char *json, *text; /* NULL: good */
    } cases[] = {
        {"{\"rcpt_to\":[\"a@x.test\"],\"mail_from\":\"m@acme.test\"," DATA "}", NULL},
        {"{\"rcpt_to\":[],\"mail_from\":\"m@acme.test\"," DATA "}", NULL},
        {"{}", "`rcpt_to` parameter is required but is missing"},
        {"{\"rcpt_to\":\"a@x.test\",\"mail_from\":\"m@acme.test\"," DATA "}",
         "`rcpt_to` parameter is required but is missing"},
        {"{\"rcpt_to\":[\"a@x.test\"]," DATA "}",
         "`mail_from` parameter is required but is missing"},
        {"{\"rcpt_to\":[\"a@x.test\"],\"mail_from\":\"\"," DATA "}",
         "`mail_from` parameter is required but is missing"},
        {"{\"rcpt_to\":[\"a@x.test\"],\"mail_from\":\"m@acme.test\"}",
         "`data` parameter is required but is missing"},
        {"{\"rcpt_to\":[\"a@x.test\"],\"mail_from\":\"m@acme.test\",\"data\":\"\"}",
         "`data` parameter is required but is missing"},
        {"{\"rcpt_to\":[\"a@x.test\"],\"mail_from\":\"m@acme.test\",\"data\":\"****\"}",
         "`data` parameter is required but is missing"},
        {"{\"rcpt_to\":[\"x\"],\"mail_from\":\"m@acme.test\"," DATA "}",
         "`rcpt_to` has something in it that is no address: x"},
        {"{\"rcpt_to\":[7],\"mail_from\":\"m@acme.test\"," DATA "}",
         "`rcpt_to` has something in it that is no address: 7"},
        {"{\"rcpt_to\":[null],\"mail_from\":\"m@acme.test\"," DATA "}",
         "`rcpt_to` has something in it that is no address: null"},
        {"{\"rcpt_to\":[\"a@x.test\\u0000\"],\"mail_from\":\"m@acme.test\"," DATA "}",
         "`rcpt_to` has something in it that is no address: a@x.test"},
        {"{\"rcpt_to\":[\"a@x.test, b@x.test\"],\"mail_from\":\"m@acme.test\"," DATA "}",
         "`rcpt_to` has something in it that is no address: a@x.test, b@x.test"},
        {"{\"rcpt_to\":[\"a@x.test\"],\"mail_from\":\"m\"," DATA "}", "`mail_from` is no address"},
        {"{\"rcpt_to\":[\"a@x.test\"],\"mail_from\":{}," DATA "}", "`mail_from` must be a string"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        json_object *object = json_tokener_parse(cases[i].json);
        g_autofree char *text = NULL;
        V1Error first = V1_ERROR_NONE;
        g_autoptr(Submission) raw = v1_raw_read(object, &first, &text);
        json_object_put(object);
        if ((raw != NULL) != (cases[i].text == NULL) || g_strcmp0(text, cases[i].text) != 0)
            fail_msg("case %u: %s", i, text);
    }
}

static void test_v1_raw_read_envelope(void **state)
{
    (void)state;
    json_object *object = json_tokener_parse(
        "{\"rcpt_to\":[\"A@X.test\",\"a@x.test\",\"B <b@x.test>\"],\"mail_from\":\"M "
        "<m@ACME.test>\",\"bounce\":\"no\"," DATA "}");
    g_autofree char *text = NULL;
    V1Error first = V1_ERROR_NONE;
    g_autoptr(Submission) raw = v1_raw_read(object, &first, &text);

    json_object_put(object);
    assert_string_equal(raw->mail_from, "");
    assert_int_equal(raw->rcpts->len, 2);
    assert_int_equal(raw->names->len, 3);
    assert_string_equal(((SubmissionName *)raw->names->pdata[0])->written, "A@X.test");
    assert_string_equal(((SubmissionName *)raw->names->pdata[2])->written, "B <b@x.test>");
    assert_int_equal(((SubmissionName *)raw->names->pdata[2])->index, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_v1_raw_read_data),
        cmocka_unit_test(test_v1_raw_read_many_fields),
        cmocka_unit_test(test_v1_raw_read_no_message),
        cmocka_unit_test(test_v1_raw_read_without_padding),
        cmocka_unit_test(test_v1_raw_read_long_header),
        cmocka_unit_test(test_v1_raw_read_parameters),
        cmocka_unit_test(test_v1_raw_read_envelope),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
