/* SPDX-License-Identifier: MIT */
#include "lib/wire/reply.h"

#include <string.h>

#include "tests/lib/testing.h"

typedef struct {
    const char *relay;
    ReplyStage stage;
    const char *text;
    ReplyClass class;
    ReplyPermanence permanence;
    ReplyProvider provider;
} Case;

static const Case cases[] = {
#define X(relay, STAGE, text, CLASS, PERMANENCE, PROVIDER)                                         \
    {relay, REPLY_STAGE_##STAGE, text, REPLY_##CLASS, REPLY_##PERMANENCE, REPLY_FROM_##PROVIDER},
#include "tests/lib/reply_case.def"
#undef X
};

static const struct {
    const char *dsn;
    const char *text;
    ReplyStage stage;
    ReplyClass class;
    ReplyPermanence permanence;
    ReplyProvider provider;
} own_cases[] = {
#define X(dsn, text, STAGE, CLASS, PERMANENCE, PROVIDER)                                           \
    {dsn, text, REPLY_STAGE_##STAGE, REPLY_##CLASS, REPLY_##PERMANENCE, REPLY_FROM_##PROVIDER},
#include "tests/lib/reply_case_own.def"
#undef X
};

static void classify(const char *text, gsize length, ReplyStage stage, const char *relay,
                     ReplyVerdict *verdict)
{
    Reply reply;

    reply_read(text, length, &reply);
    if (stage)
        reply.stage = stage;
    reply_add_relay(&reply, relay);
    reply_classify(&reply, verdict);
}

/* How many are wrong: 0 or 1. */
static guint check(const char *text, const ReplyVerdict *verdict, ReplyClass class,
                   ReplyPermanence permanence, ReplyProvider provider)
{
    if (verdict->class == class && verdict->permanence == permanence &&
        verdict->provider == provider)
        return 0;
    print_error("%s\n  is %s, %s, %s by rule \"%s\" (%.*s), not %s, %s, %s\n", text,
                reply_class_name(verdict->class), reply_permanence_name(verdict->permanence),
                reply_provider_name(verdict->provider), verdict->rule, (int)verdict->words.length,
                verdict->words.length ? verdict->words.data : "", reply_class_name(class),
                reply_permanence_name(permanence), reply_provider_name(provider));
    return 1;
}

static void test_reply_classify_of_hosts(void **state)
{
    guint wrong = 0;

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ReplyVerdict verdict;
        classify(cases[i].text, strlen(cases[i].text), cases[i].stage, cases[i].relay, &verdict);
        wrong +=
            check(cases[i].text, &verdict, cases[i].class, cases[i].permanence, cases[i].provider);
    }
    assert_int_equal(wrong, 0);
}

static void test_reply_classify_of_postfix(void **state)
{
    guint wrong = 0;

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(own_cases); i++) {
        ReplyVerdict verdict;
        Reply reply;
        reply_read(own_cases[i].text, strlen(own_cases[i].text), &reply);
        reply_add_status(&reply, own_cases[i].dsn);
        assert_int_equal(reply.stage, own_cases[i].stage);
        reply_classify(&reply, &verdict);
        wrong += check(own_cases[i].text, &verdict, own_cases[i].class, own_cases[i].permanence,
                       own_cases[i].provider);
    }
    assert_int_equal(wrong, 0);
}

static void test_reply_classify_in_any_case(void **state)
{
    guint wrong = 0;

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *upper = g_ascii_strup(cases[i].text, -1);
        g_autofree char *lower = g_ascii_strdown(cases[i].text, -1);
        g_autofree char *relay = g_ascii_strup(cases[i].relay, -1);
        const char *const texts[] = {upper, lower};
        for (size_t k = 0; k < G_N_ELEMENTS(texts); k++) {
            ReplyVerdict verdict;
            classify(texts[k], strlen(texts[k]), cases[i].stage, relay, &verdict);
            wrong +=
                check(texts[k], &verdict, cases[i].class, cases[i].permanence, cases[i].provider);
        }
    }
    assert_int_equal(wrong, 0);
}

/* Whatever a host says after these codes, and at these stages, it is not said of the recipient. */
static void test_reply_classify_never_address(void **state)
{
    static const char *const starts[] = {"421 ",        "421 4.1.1 ", "421 5.1.1 ",   "550 5.7.1 ",
                                         "550 5.7.17 ", "450 4.7.1 ", "554 5.7.999 ", "550 5.1.7 ",
                                         "550 5.1.8 ",  "450 4.1.8 "};

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        gsize n = strspn(cases[i].text, "0123456789.- #");
        ReplyVerdict verdict;
        for (size_t k = 0; k < G_N_ELEMENTS(starts); k++) {
            g_autofree char *text = g_strconcat(starts[k], cases[i].text + n, NULL);
            classify(text, strlen(text), REPLY_STAGE_RCPT, cases[i].relay, &verdict);
            if (verdict.class == REPLY_ADDRESS)
                fail_msg("%s: address", text);
        }
        for (guint stage = REPLY_STAGE_CONNECT; stage <= REPLY_STAGE_MAIL; stage++) {
            classify(cases[i].text, strlen(cases[i].text), (ReplyStage)stage, cases[i].relay,
                     &verdict);
            if (verdict.class == REPLY_ADDRESS)
                fail_msg("%s: address at %s", cases[i].text, reply_stage_name((ReplyStage)stage));
        }
    }
}

/* A block list or the sender in the text outweighs every word and code about the recipient. */
static void test_reply_classify_contradictions(void **state)
{
    static const struct {
        const char *words;
        ReplyClass class;
    } more[] = {
        {"Client host [192.0.2.1] blocked using bl.spamcop.net", REPLY_REPUTATION},
        {"your IP has a bad reputation", REPLY_REPUTATION},
        {"receiving mail at a rate", REPLY_CAPACITY},
        {"over quota", REPLY_CAPACITY},
        {"greylisted", REPLY_CAPACITY},
        {"Sender address rejected", REPLY_POLICY},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(more); i++) {
        g_autofree char *text =
            g_strdup_printf("550 5.1.1 <a@example.com>: User unknown; %s", more[i].words);
        g_autofree char *turned =
            g_strdup_printf("550 5.1.1 %s: mailbox does not exist", more[i].words);
        const char *const texts[] = {text, turned};
        for (size_t k = 0; k < G_N_ELEMENTS(texts); k++) {
            ReplyVerdict verdict;
            classify(texts[k], strlen(texts[k]), REPLY_STAGE_RCPT, "", &verdict);
            if (verdict.class != more[i].class)
                fail_msg("%s: %s", texts[k], reply_class_name(verdict.class));
        }
    }
}

static void test_reply_classify_hostile(void **state)
{
    static const struct {
        const char *text;
        gsize length;
    } texts[] = {
        {"", 0},
        {"\0\0\0", 3},
        {"550 \0user unknown", 17},
        {"550\0", 4},
        {"55", 2},
        {"5500 user unknown", 17},
        {"550user unknown", 15},
        {"999 5.1.1 no", 12},
        {"550 5.1", 7},
        {"550 5.1.", 8},
        {"550 5.1.9999 x", 14},
        {"550 9.1.1 x", 11},
        {"550 ####(((", 11},
        {"550 #", 5},
        {"host ", 5},
        {"host  said: ", 12},
        {"host said: said: said: ", 23},
        {"host x[ said: (in reply to ", 27},
        {"host x said:  (in reply to (in reply to RCPT TO", 47},
        {"\xff\xfe\x80@\x80", 5},
        {"550 @@@@@@", 10},
        {"550 a@b@c@d", 11},
        {"delivery temporarily suspended: ", 32},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *exact = g_memdup2(texts[i].text, texts[i].length); /* no octet behind it */
        ReplyVerdict verdict;
        classify(exact, texts[i].length, REPLY_STAGE_UNKNOWN, "", &verdict);
        assert_non_null(verdict.rule);
        assert_true(verdict.words.length <= texts[i].length);
    }
}

static void test_reply_classify_endless(void **state)
{
    static const char *const patterns[] = {"mailbox ",        "a@",          "5.1.1 ",
                                           "550-5.1.1 user ", "host said: ", "#5",
                                           "\xc3\xa4",        ".",           "user user "};

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(patterns); i++) {
        g_autoptr(GString) text = g_string_new("550 user unknown ");
        while (text->len < 100000)
            g_string_append(text, patterns[i]);
        ReplyVerdict verdict;
        classify(text->str, text->len, REPLY_STAGE_RCPT, text->str, &verdict);
        assert_int_equal(verdict.class, REPLY_ADDRESS);
        g_string_append(text, "spamhaus"); /* too far away to be looked at */
        classify(text->str, text->len, REPLY_STAGE_RCPT, "", &verdict);
        assert_int_equal(verdict.class, REPLY_ADDRESS);
    }
}

static void test_reply_read_parts(void **state)
{
    static const struct {
        const char *text, *dsn;
        guint code, status[3];
        gboolean own;
        const char *relay, *said;
    } parts[] = {
        {"host mx.a[192.0.2.1] said: 550 5.1.1 no (in reply to RCPT TO command)",
         "5.1.1",
         550,
         {5, 1, 1},
         FALSE,
         "mx.a",
         "550 5.1.1 no"},
        {"host mx.a[192.0.2.1] said: 550 no", "5.0.0", 550, {5, 0, 0}, FALSE, "mx.a", "550 no"},
        {"host mx.a[192.0.2.1] said: host mx.b[192.0.2.2] refused to talk to me: 421",
         "",
         0,
         {0, 0, 0},
         FALSE,
         "mx.a",
         "host mx.b[192.0.2.2] refused to talk to me: 421"},
        {"host mx.a[192.0.2.1] refused to talk to me: 421 x said: 550 y",
         "",
         421,
         {0, 0, 0},
         FALSE,
         "mx.a",
         "421 x said: 550 y"},
        {"550-5.1.1 a\n550 5.1.1 b",
         "5.9.9",
         550,
         {5, 1, 1},
         FALSE,
         "",
         "550-5.1.1 a\n550 5.1.1 b"},
        {"550 a (#5.2.1)", "5.0.0", 550, {5, 2, 1}, FALSE, "", "550 a (#5.2.1)"},
        {"550 #no #5.2.1x", "", 550, {5, 2, 1}, FALSE, "", "550 #no #5.2.1x"},
        {"550 a 5.2.1", "x", 550, {0, 0, 0}, FALSE, "", "550 a 5.2.1"},
        {"Connection refused", "4.4.1", 0, {4, 4, 1}, TRUE, "", "Connection refused"},
        {"(in reply to RCPT TO command)",
         "4",
         0,
         {0, 0, 0},
         TRUE,
         "",
         "(in reply to RCPT TO command)"},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        Reply reply;
        reply_read(parts[i].text, strlen(parts[i].text), &reply);
        reply_add_status(&reply, parts[i].dsn);
        g_autofree char *relay = g_strndup(reply.relay.data, reply.relay.length);
        g_autofree char *said = g_strndup(reply.text.data, reply.text.length);
        assert_int_equal(reply.code, parts[i].code);
        assert_memory_equal(reply.status, parts[i].status, sizeof(reply.status));
        assert_int_equal(reply.own, parts[i].own);
        assert_string_equal(relay ? relay : "", parts[i].relay);
        assert_string_equal(said, parts[i].said);
    }
}

static void test_reply_add_relay(void **state)
{
    static const struct {
        const char *relay;
        ReplyProvider provider;
    } relays[] = {
        {"gmail-smtp-in.l.google.com[192.0.2.1]:25", REPLY_FROM_GMAIL},
        {"GOOGLE.COM", REPLY_FROM_GMAIL},
        {"notgoogle.com[192.0.2.1]:25", REPLY_FROM_UNKNOWN},
        {"google.com.example[192.0.2.1]:25", REPLY_FROM_UNKNOWN},
        {"outlook-com.olc.protection.outlook.com[192.0.2.1]:25", REPLY_FROM_OUTLOOK},
        {"a.mail.protection.outlook.com[192.0.2.1]:25", REPLY_FROM_MICROSOFT_365},
        {"a.l-v1.mx.microsoft[192.0.2.1]:25", REPLY_FROM_MICROSOFT_365},
        {"none", REPLY_FROM_UNKNOWN},
        {"", REPLY_FROM_UNKNOWN},
        {"[192.0.2.1]", REPLY_FROM_UNKNOWN},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(relays); i++) {
        ReplyVerdict verdict;
        classify("451 no", 6, REPLY_STAGE_RCPT, relays[i].relay, &verdict);
        assert_int_equal(verdict.provider, relays[i].provider);
    }
}

static void test_reply_stage_parse(void **state)
{
    static const char *const wrong[] = {"", "RCPT", "rcpt to", "quit"};
    ReplyStage stage = REPLY_STAGE_DATA;

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++)
        assert_false(reply_stage_parse(wrong[i], &stage));
    assert_int_equal(stage, REPLY_STAGE_DATA);
    for (guint i = 0; i < REPLY_STAGE_COUNT; i++) {
        assert_true(reply_stage_parse(reply_stage_name((ReplyStage)i), &stage));
        assert_int_equal(stage, i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reply_classify_of_hosts),
        cmocka_unit_test(test_reply_classify_of_postfix),
        cmocka_unit_test(test_reply_classify_in_any_case),
        cmocka_unit_test(test_reply_classify_never_address),
        cmocka_unit_test(test_reply_classify_contradictions),
        cmocka_unit_test(test_reply_classify_hostile),
        cmocka_unit_test(test_reply_classify_endless),
        cmocka_unit_test(test_reply_read_parts),
        cmocka_unit_test(test_reply_add_relay),
        cmocka_unit_test(test_reply_stage_parse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
