/* SPDX-License-Identifier: MIT */
#include "api/v1_message.h"

#include <string.h>

#include "lib/mime/field.h"
#include "tests/lib/testing.h"

#define TO   "\"to\":\"r@x.test\","
#define FROM "\"from\":\"App <app@acme.test>\","
#define BODY "\"plain_body\":\"hi\""
#define GOOD TO FROM BODY

static const LetterStamp stamp = {"uuid@rp.test", " from api by h.test with HTTP; now",
                                  "Thu, 26 Nov 2026 04:00:00 +0000"};

static Letter *read_v1(const char *json, V1Error *first, char **text)
{
    json_object *object = json_tokener_parse(json);

    assert_non_null(object);
    Letter *message = v1_message_read(object, first, text);
    json_object_put(object);
    return message;
}

static Submission *make(const char *json)
{
    V1Error first = V1_ERROR_NONE;
    g_autofree char *text = NULL;
    g_autoptr(Letter) message = read_v1(json, &first, &text);

    if (!message || first)
        fail_msg("%s: %d %s", json, first, text);
    Submission *submission = letter_compose(message, &stamp, &first, &text);
    if (!submission)
        fail_msg("%s: %d %s", json, first, text);
    return submission;
}

/* `"a1@x.test, ..."', n of them. */
static char *addresses(const char *name, guint n)
{
    GString *out = g_string_new(NULL);

    g_string_append_printf(out, "\"%s\":[", name);
    for (guint i = 0; i < n; i++)
        g_string_append_printf(out, "%s\"a%u@x.test\"", i ? "," : "", i);
    g_string_append(out, "],");
    return g_string_free(out, FALSE);
}

static void test_v1_message_read_first_error(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        V1Error first;
    } cases[] = {
        {"{" GOOD "}", V1_ERROR_NONE},
        {"{}", V1_ERROR_NO_RECIPIENTS},
        {"{\"to\":[],\"cc\":\"\",\"bcc\":[\" \"]," FROM BODY "}", V1_ERROR_NO_RECIPIENTS},
        {"{\"to\":null," FROM BODY "}", V1_ERROR_NO_RECIPIENTS},
        {"{" TO FROM "\"plain_body\":\" \\n\"}", V1_ERROR_NO_CONTENT},
        {"{" TO "\"html_body\":\"\"}", V1_ERROR_NO_CONTENT},
        {"{" TO BODY "}", V1_ERROR_FROM_MISSING},
        {"{" TO "\"from\":\" \"," BODY "}", V1_ERROR_FROM_MISSING},
        {"{" GOOD ",\"attachments\":[{\"data\":\"aGk=\"}]}", V1_ERROR_ATTACHMENT_NAME},
        {"{" GOOD ",\"attachments\":[{\"name\":\" \",\"data\":\"aGk=\"}]}",
         V1_ERROR_ATTACHMENT_NAME},
        {"{" GOOD ",\"attachments\":[{\"name\":\"a\"}]}", V1_ERROR_ATTACHMENT_DATA},
        {"{" GOOD ",\"attachments\":[{\"name\":\"a\",\"data\":\"\"}]}", V1_ERROR_ATTACHMENT_DATA},
        {"{" GOOD ",\"attachments\":[{\"name\":\"a\",\"data\":\"IAo=\"}]}",
         V1_ERROR_ATTACHMENT_DATA},
        {"{" GOOD ",\"attachments\":[{\"name\":\"a\",\"data\":\"!!!\"}]}",
         V1_ERROR_ATTACHMENT_DATA},
        {"{" GOOD ",\"attachments\":[3,null,{\"name\":\"a\",\"data\":\"aGk=\"}]}", V1_ERROR_NONE},
        {"{" GOOD ",\"attachments\":null,\"headers\":[1]}", V1_ERROR_NONE},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        V1Error first = V1_ERROR_COUNT;
        g_autofree char *text = NULL;
        g_autoptr(Letter) message = read_v1(cases[i].json, &first, &text);
        if (!message || first != cases[i].first)
            fail_msg("case %u: %d %s", i, first, text);
    }
}

static void test_v1_message_read_wrong_parameter(void **state)
{
    (void)state;
    static const struct {
        const char *json, *name;
    } cases[] = {
        {"{\"to\":{\"a\":1}}", "`to`"},
        {"{\"to\":[[\"r@x.test\"]]}", "`to`"},
        {"{\"to\":\"nobody\"}", "`to`"},
        {"{\"to\":\"a@x.test b@x.test\"}", "`to`"},
        {"{\"cc\":[\"a@x.test\\r\\nBcc: b@x.test\"]}", "`cc`"},
        {"{\"bcc\":[\"a@x.test\\u0000\"]}", "`bcc`"},
        {"{\"bcc\":7}", "`bcc`"},
        {"{" TO "\"from\":[\"a@b.test\"]}", "`from`"},
        {"{" TO "\"subject\":{}}", "`subject`"},
        {"{" TO "\"subject\":\"a\\u0000b\"}", "`subject`"},
        {"{" TO "\"plain_body\":[]}", "`plain_body`"},
        {"{" GOOD ",\"headers\":{\"a b\":\"x\"}}", "`headers`"},
        {"{" GOOD ",\"headers\":{\"a:b\":\"x\"}}", "`headers`"},
        {"{" GOOD ",\"headers\":{\"a\\r\\nb\":\"x\"}}",
         "`headers` has a name that no header field may have: a"},
        {"{" GOOD ",\"headers\":{\"\":\"x\"}}", "`headers`"},
        {"{" GOOD ",\"headers\":{\"X-A\":[1]}}", "`headers`: `X-A` must be a string"},
        {"{" GOOD ",\"headers\":{\"X-A\":{\"a\":1}}}", "`headers`: `X-A` must be a string"},
        {"{" GOOD ",\"attachments\":\"x\"}", "`attachments`"},
        {"{" GOOD ",\"attachments\":[{\"name\":{}}]}", "`attachments`, entry 1: `name`"},
        {"{" GOOD ",\"attachments\":[7,{\"name\":\"a\",\"data\":[]}]}",
         "`attachments`, entry 2: `data`"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        V1Error first = V1_ERROR_NONE;
        g_autofree char *text = NULL;
        g_autoptr(Letter) message = read_v1(cases[i].json, &first, &text);
        if (message || first != V1_ERROR_PARAMETER || !strstr(text, cases[i].name))
            fail_msg("case %u: %d %s", i, first, text);
    }
}

static void test_v1_message_read_bounds(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        V1Error error;
    } cases[] = {
        {"to", V1_ERROR_TOO_MANY_TO}, {"cc", V1_ERROR_TOO_MANY_CC}, {"bcc", V1_ERROR_TOO_MANY_BCC}};
    g_autofree char *tag = g_strnfill(SUBMISSION_TAG_MAX + 1, 't');
    g_autofree char *json = g_strdup_printf("{" GOOD ",\"tag\":\"%s\"}", tag);
    V1Error first = V1_ERROR_NONE;
    g_autofree char *text = NULL;

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        for (guint more = 0; more < 2; more++) {
            g_autofree char *list = addresses(cases[i].name, LETTER_LIST_MAX + more);
            g_autofree char *whole = g_strdup_printf("{%s" FROM BODY "}", list);
            g_autoptr(Letter) message = read_v1(whole, &first, &text);
            assert_int_equal(first, more ? cases[i].error : V1_ERROR_NONE);
        }
    }
    assert_null(read_v1(json, &first, &text));
    assert_non_null(strstr(text, "`tag`"));
}

/* Name and value of each field, a line each. */
static char *header_of(const Submission *submission)
{
    GString *out = g_string_new(NULL);

    for (guint i = 0; i < submission->fields->len; i++) {
        const MimeField *field = submission->fields->pdata[i];
        g_string_append_printf(out, "%s:%s\n", field->name, field->value);
    }
    return g_string_free(out, FALSE);
}

static void test_letter_compose_order(void **state)
{
    (void)state;
    g_autoptr(Submission) made = make(
        "{\"headers\":{\"X_First\":\"1\",\"References\":\"<a@b>\",\"in-reply-to\":\"<c@d>\",\"List-"
        "Id\":\"l\","
        "\"Date\":\"then\",\"From\":\"evil@x.test\",\"Bcc\":\"b@x.test\",\"to\":\"c@x.test\","
        "\"Content-Type\":\"x/y\","
        "\"Message_ID\":\"<z@z>\",\"X-N\":7,\"X-T\":true,\"X-Null\":null},"
        "\"to\":[\"A "
        "<a@x.test>\",\"b@x.test\"],\"cc\":\"c@x.test\",\"bcc\":\"d@x.test\",\"sender\":\"s@acme."
        "test\","
        "\"reply_to\":\"r@acme.test, q@acme.test\",\"subject\":\"s\",\"tag\":\"t\"," FROM BODY "}");
    g_autofree char *header = header_of(made);

    assert_string_equal(header, "Received: from api by h.test with HTTP; now\n"
                                "Date: then\n"
                                "From: App <app@acme.test>\n"
                                "Sender: s@acme.test\n"
                                "Reply-To: r@acme.test,\r\n q@acme.test\n"
                                "To: A <a@x.test>,\r\n b@x.test\n"
                                "Cc: c@x.test\n"
                                "Message-ID: <uuid@rp.test>\n"
                                "In-Reply-To: <c@d>\n"
                                "References: <a@b>\n"
                                "Subject: s\n"
                                "MIME-Version: 1.0\n"
                                "Content-Type: text/plain; charset=UTF-8\n"
                                "Content-Transfer-Encoding: 7bit\n"
                                "X-First: 1\n"
                                "List-Id: l\n"
                                "X-N: 7\n"
                                "X-T: true\n");
    assert_string_equal(made->body->str, "hi\r\n");
    assert_string_equal(made->mail_from, "app@acme.test");
    assert_string_equal(made->tag, "t");
    assert_string_equal(made->message_id, "uuid@rp.test");
    assert_int_equal(made->rcpts->len, 4);
}

static void test_letter_compose_custom_list(void **state)
{
    (void)state;
    g_autoptr(Submission) made = make("{\"bcc\":\"b@x.test\",\"headers\":{\"To\":\"undisclosed-"
                                      "recipients:;\",\"Cc\":\"C <c@x.test>\"}," FROM BODY "}");

    assert_string_equal(mime_fields_nth(made->fields, "To", 1), " undisclosed-recipients:;");
    assert_string_equal(mime_fields_nth(made->fields, "Cc", 1), " C <c@x.test>");
    assert_int_equal(made->rcpts->len, 1);
    assert_null(mime_fields_nth(made->fields, "Subject", 1));
}

/* Whoever shows it sees the name, and no second address. */
static void test_letter_compose_unquoted_names(void **state)
{
    (void)state;
    g_autoptr(Submission) made =
        make("{\"from\":\"Acme, Inc. <app@acme.test>\",\"reply_to\":\"Acme: Help "
             "<r@acme.test>\",\"to\":[\"Doe, Jo <a@x.test>\",\"b@x.test <b@x.test>\"]," BODY "}");

    assert_string_equal(mime_fields_nth(made->fields, "From", 1),
                        " \"Acme, Inc.\" <app@acme.test>");
    assert_string_equal(mime_fields_nth(made->fields, "Reply-To", 1),
                        " \"Acme: Help\" <r@acme.test>");
    assert_string_equal(mime_fields_nth(made->fields, "To", 1),
                        " \"Doe, Jo\" <a@x.test>,\r\n \"b@x.test\" <b@x.test>");
    assert_string_equal(made->mail_from, "app@acme.test");
    assert_int_equal(made->rcpts->len, 2);
}

static void test_letter_compose_recipients(void **state)
{
    (void)state;
    static const struct {
        const char *written, *address;
        guint index;
    } wanted[] = {{"Bob@X.Test", "Bob@x.test", 0},
                  {"j@b\xc3\xbc"
                   "cher.test",
                   "j@xn--bcher-kva.test", 1},
                  {"bob@x.test", "Bob@x.test", 0}};
    g_autoptr(Submission) made =
        make("{\"to\":\"\\\"B, C\\\" <Bob@X.Test> , , J <j@b\xc3\xbc"
             "cher.test>\",\"cc\":[\"bob@x.test\"],\"bounce\":0," FROM BODY "}");

    assert_string_equal(made->mail_from, "");
    assert_int_equal(made->rcpts->len, 2);
    assert_int_equal(made->names->len, G_N_ELEMENTS(wanted));
    for (guint i = 0; i < made->names->len; i++) {
        const SubmissionName *name = made->names->pdata[i];
        assert_string_equal(name->written, wanted[i].written);
        assert_int_equal(name->index, wanted[i].index);
        assert_string_equal(made->rcpts->pdata[name->index], wanted[i].address);
    }
}

static void test_letter_compose_injection(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "{" GOOD ",\"subject\":\"s\\r\\nBcc: evil@x.test\"}",
        "{" GOOD ",\"subject\":\"s\\nBcc: evil@x.test\\n\\nbody\"}",
        "{" GOOD ",\"headers\":{\"X-A\":\"s\\r\\nBcc: evil@x.test\"}}",
        "{" GOOD ",\"headers\":{\"References\":\"<a>\\r\\nBcc: evil@x.test\"}}",
        "{" GOOD ",\"headers\":{\"Date\":\"now\\rBcc: evil@x.test\"}}",
        "{" GOOD ",\"tag\":\"t\\r\\nBcc: evil@x.test\"}",
        "{" TO BODY ",\"from\":\"=?UTF-8?Q?=0D=0ABcc=3A_evil=40x.test?= <app@acme.test>\"}",
        "{" GOOD
        ",\"attachments\":[{\"name\":\"a\\r\\nBcc: evil@x.test\",\"content_type\":\"a/b\\r\\nBcc: "
        "evil@x.test\",\"data\":\"aGk=\"}]}",
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Submission) made = make(cases[i]);
        g_autofree char *header = header_of(made);
        if (strstr(header, "\nBcc") || strstr(header, "\rBcc") ||
            strstr(made->body->str, "\nBcc") || mime_fields_count(made->fields, "Bcc"))
            fail_msg("case %u: %s", i, header);
        assert_int_equal(made->rcpts->len, 1);
    }
}

static void test_letter_compose_refused(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        V1Error first;
    } cases[] = {
        {"{" TO BODY ",\"from\":\"nobody\"}", V1_ERROR_UNAUTHENTICATED_FROM},
        {"{" TO BODY ",\"from\":\"a@acme.test, b@acme.test\"}", V1_ERROR_UNAUTHENTICATED_FROM},
        {"{" TO BODY ",\"from\":\"x@strange.test, Acme, Inc. <a@acme.test>\"}",
         V1_ERROR_UNAUTHENTICATED_FROM},
        {"{" TO BODY ",\"from\":\"a@acme.test\\r\\nBcc: c@x.test\"}",
         V1_ERROR_UNAUTHENTICATED_FROM},
        {"{" GOOD ",\"sender\":\"x\"}", V1_ERROR_PARAMETER},
        {"{" GOOD ",\"reply_to\":\"x, y\"}", V1_ERROR_PARAMETER},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        V1Error first = V1_ERROR_NONE;
        g_autofree char *text = NULL;
        g_autoptr(Letter) message = read_v1(cases[i].json, &first, &text);
        assert_non_null(message);
        assert_null(letter_compose(message, &stamp, &first, &text));
        if (first != cases[i].first || (first == V1_ERROR_PARAMETER) != (text != NULL))
            fail_msg("case %u: %d", i, first);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_v1_message_read_first_error),
        cmocka_unit_test(test_v1_message_read_wrong_parameter),
        cmocka_unit_test(test_v1_message_read_bounds),
        cmocka_unit_test(test_letter_compose_order),
        cmocka_unit_test(test_letter_compose_custom_list),
        cmocka_unit_test(test_letter_compose_unquoted_names),
        cmocka_unit_test(test_letter_compose_recipients),
        cmocka_unit_test(test_letter_compose_injection),
        cmocka_unit_test(test_letter_compose_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
