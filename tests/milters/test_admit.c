/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/admission/form.h"
#include "lib/mailauth/dkim_sign.h"
#include "lib/mime/field.h"
#include "milters/admit.h"
#include "tests/lib/testing.h"

static void test_identity_good(void **state)
{
    (void)state;
    AdmitIdentity identity;

    assert_true(admit_identity("acme/main/7", &identity));
    assert_string_equal(identity.organization, "acme");
    assert_string_equal(identity.server, "main");
    assert_int_equal(identity.credential, 7);
}

static void test_identity_bad(void **state)
{
    (void)state;
    static const char *const cases[] = {
        NULL,
        "",
        "acme",
        "acme/main",
        "acme/main/",
        "acme/main/0",
        "acme/main/-1",
        "acme/main/+7",
        "acme/main/7x",
        "acme/main/7/8",
        "/main/7",
        "acme//7",
        "acme/main/4294967296",
        "ac me/m/7",
        "acme/main/ 7",
        "ac\xc3\xa9/m/7",
        "bob@acme.test",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/m/7",
    };
    AdmitIdentity identity = {.credential = 99};

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        if (admit_identity(cases[i], &identity))
            fail_msg("taken: %s", cases[i]);
    assert_int_equal(identity.credential, 99);
}

static void test_credential_verdicts(void **state)
{
    (void)state;
    static char acme[] = "acme", other[] = "other", main_server[] = "main";
    static char server_name[] = "main";
    const EdgeCredential source = {
        .id = 7, .organization_permalink = acme, .server_permalink = server_name};
    AdmitIdentity identity;
    const struct {
        EdgeCredential credential;
        RefusalName verdict;
    } cases[] = {
        {{.id = 7}, REFUSAL_NONE},
        {{.id = 7, .expires_at = 1001}, REFUSAL_NONE},
        {{.id = 7, .hold = TRUE, .development = TRUE}, REFUSAL_NONE},
        {{.id = 7, .expires_at = 1000}, REFUSAL_CREDENTIAL},
        {{.id = 7, .disabled = TRUE}, REFUSAL_CREDENTIAL},
        {{.id = 8}, REFUSAL_CREDENTIAL},
        {{.id = 7, .organization_permalink = other}, REFUSAL_CREDENTIAL},
        {{.id = 7, .server_permalink = other}, REFUSAL_CREDENTIAL},
        {{.id = 7, .server_suspended = TRUE}, REFUSAL_SUSPENDED},
        {{.id = 7, .organization_suspended = TRUE}, REFUSAL_SUSPENDED},
        {{.id = 7, .disabled = TRUE, .server_suspended = TRUE}, REFUSAL_CREDENTIAL},
    };

    admit_source(&source, &identity);
    assert_true(identity.by_address);
    assert_true(admit_identity("acme/main/7", &identity));
    assert_false(identity.by_address);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        EdgeCredential credential = cases[i].credential;
        if (!credential.organization_permalink)
            credential.organization_permalink = acme;
        if (!credential.server_permalink)
            credential.server_permalink = main_server;
        if (admit_credential(&identity, &credential, 1000) != cases[i].verdict)
            fail_msg("case %u", i);
    }
}

static const MessageLimits limits = {.recipients = 2,
                                     .addresses = 20,
                                     .header = FORM_HEADER_MAX,
                                     .fields = FORM_FIELDS_MAX,
                                     .size = 1000};

static void test_form_limits(void **state)
{
    (void)state;
    g_autoptr(Message) message = message_new("<a@b.test>", &limits);

    assert_string_equal(message->mail_from, "a@b.test");
    for (guint i = 0; i < 3; i++)
        message_add_field(message, "Received", " x");
    message_add_body(message, "12345", 5);
    assert_int_equal(admit_form(message, 3), REFUSAL_NONE);
    assert_int_equal(admit_form(message, 2), REFUSAL_LOOP);
    message->limits.size = message_size(message);
    assert_int_equal(admit_form(message, 3), REFUSAL_NONE);
    message->limits.size--;
    assert_int_equal(admit_form(message, 3), REFUSAL_SIZE);
    g_autofree char *large = g_strnfill(1000, 'x');
    message_add_body(message, large, 1000);
    assert_null(message->body);
    message_add_body(message, large, 1000);
    assert_int_equal(message->body_size, 2005);
    message->limits.size = G_MAXSIZE;
    assert_int_equal(admit_form(message, 3), REFUSAL_SIZE);
    g_autofree char *huge = g_strnfill(FORM_HEADER_MAX, 'x');
    message_add_field(message, "X", huge);
    assert_int_equal(message->fields->len, 3);
    assert_int_equal(admit_form(message, 3), REFUSAL_HEADER);
}

static void test_form_field_count(void **state)
{
    (void)state;
    g_autoptr(Message) message = message_new("<a@b.test>", &limits);

    for (guint i = 0; i < FORM_FIELDS_MAX; i++)
        message_add_field(message, "X", "");
    message->limits.size = G_MAXSIZE;
    assert_int_equal(admit_form(message, 3), REFUSAL_NONE);
    message_add_field(message, "X", "");
    assert_int_equal(message->fields->len, FORM_FIELDS_MAX);
    assert_int_equal(admit_form(message, 3), REFUSAL_HEADER);
}

static void test_form_too_many_signed_fields(void **state)
{
    (void)state;
    g_autoptr(Message) message = message_new("<a@b.test>", &limits);

    message->limits.size = G_MAXSIZE;
    for (guint i = 0; i < DKIM_FIELDS_MAX; i++)
        message_add_field(message, "X", "");
    for (guint i = 0; i < DKIM_FIELDS_MAX - 4; i++)
        message_add_field(message, "cc", "");
    assert_int_equal(admit_form(message, 3), REFUSAL_NONE);
    message_add_field(message, "To", "");
    assert_int_equal(admit_form(message, 3), REFUSAL_HEADER);
}

static void test_message_recipients(void **state)
{
    (void)state;
    g_autoptr(Message) message = message_new("<>", &limits);

    assert_string_equal(message->mail_from, "");
    assert_null(message_rcpt(message));
    assert_true(message_add_recipient(message, "<\"A\"@b.test>", "A@b.test"));
    assert_true(message_add_recipient(message, "<a@B.test>", NULL));
    assert_int_equal(message->rcpts->len, 1);
    assert_true(message_add_recipient(message, "c@b.test", "c@b.test"));
    assert_false(message_add_recipient(message, "d@b.test", "d@b.test"));
    assert_true(message_add_recipient(message, "<C@b.test>", NULL));
    assert_int_equal(message->rcpts->len, 2);
    assert_string_equal(message_rcpt(message), "A@b.test");
}

static void test_message_recipients_long(void **state)
{
    (void)state;
    g_autoptr(Message) message = message_new("<>", &limits);

    assert_false(message_add_recipient(message, "twenty-one@octets.test", NULL));
    assert_true(message_add_recipient(message, "twelve@octets.test", NULL));
    assert_false(message_add_recipient(message, "d@b", NULL));
    assert_true(message_add_recipient(message, "d@", NULL));
    assert_int_equal(message->address_size, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_identity_good),
        cmocka_unit_test(test_identity_bad),
        cmocka_unit_test(test_credential_verdicts),
        cmocka_unit_test(test_form_limits),
        cmocka_unit_test(test_form_field_count),
        cmocka_unit_test(test_form_too_many_signed_fields),
        cmocka_unit_test(test_message_recipients),
        cmocka_unit_test(test_message_recipients_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
