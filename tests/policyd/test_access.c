/* SPDX-License-Identifier: MIT */
/* What the real program answers by a client's address and by a sender's; skipped (77) where it has not been built. */
#include <string.h>
#include <unistd.h>

#include "lib/edge/edge.h"
#include "tests/lib/edge_fixture.h"
#include "tests/policyd/policyd_world.h"

#define PLAIN      "AHUAYWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4" /* NUL u NUL POLICYD_KEY */
#define ADMISSION  "outrider-submission"
#define GONE       "action=REJECT 5.7.1 Credential is not valid any more\n\n"
#define SUSPENDED  "action=REJECT 5.7.1 Mail server has been suspended\n\n"
#define TROUBLE    "action=DEFER 4.3.0 Temporary lookup failure\n\n"
#define WRONG_FROM "action=530 5.7.1 Sender address is not one of this credential\n\n"

#define KNOWN_USER                                                                                 \
    "request=smtpd_access_policy\nprotocol_state=RCPT\nsasl_username=acme/main/7\n"                \
    "recipient=r@ok.test\n\n"

/* Until the limits have been read, everything is put off. */
static void await_limits(const State *s)
{
    gboolean known = FALSE;
    int fd = open_socket(s, "policy");

    for (guint i = 0; i < 500 && !known; i++) {
        send_text(fd, KNOWN_USER);
        g_autofree char *answer = read_until(fd, "\n\n");
        known = strcmp(answer, "action=DUNNO\n\n") == 0;
        g_usleep(known ? 0 : 20000);
    }
    assert_true(known);
    close(fd);
}

/* 192.0.2.0/24 is credential 8, 192.0.2.128/25 credential 9. */
static void fill(const State *s)
{
    policyd_fill(s);
    edge_fixture_exec(s->edge, EDGE_FILE_DIRECTORY,
                      "INSERT INTO credential VALUES (8, 1, 'smtp-ip', 0, NULL, NULL),"
                      " (9, 1, 'smtp-ip', 0, NULL, NULL);"
                      "INSERT INTO credential_network VALUES"
                      " (1, 8, 1, x'00000000000000000000FFFFC0000200',"
                      " x'00000000000000000000FFFFC00002FF', 120),"
                      " (2, 9, 1, x'00000000000000000000FFFFC0000280',"
                      " x'00000000000000000000FFFFC00002FF', 121)");
    await_limits(s);
}

static void ask(int fd, const char *context, const char *user, const char *client,
                const char *sender, const char *wanted)
{
    g_autofree char *request = g_strdup_printf(
        "request=smtpd_access_policy\nprotocol_state=RCPT\nsasl_username=%s\nclient_address=%s\n"
        "sender=%s\nrecipient=r@ok.test\ninstance=1.2.3\npolicy_context=%s\n\n",
        user, client, sender, context);

    expect(fd, request, "\n\n", wanted);
}

static void exec(const State *s, const char *sql)
{
    edge_fixture_exec(s->edge, EDGE_FILE_DIRECTORY, sql);
}

static void test_admission_table(void **state)
{
    static const struct {
        const char *context, *user, *client, *wanted;
    } cases[] = {
        {ADMISSION, "", "192.0.2.1", "action=OK\n\n"},
        {ADMISSION, "", "192.0.2.129", "action=OK\n\n"},
        {ADMISSION, "", "::ffff:192.0.2.1", "action=OK\n\n"},
        {ADMISSION, "", "192.0.3.1", "action=DUNNO\n\n"},
        {ADMISSION, "", "192.0.1.255", "action=DUNNO\n\n"},
        {ADMISSION, "", "2001:db8::1", "action=DUNNO\n\n"},
        {ADMISSION, "", "unknown", "action=DUNNO\n\n"},
        {ADMISSION, "", "", "action=DUNNO\n\n"},
        {ADMISSION, "acme/main/7", "192.0.2.1", "action=DUNNO\n\n"},
        {ADMISSION, "someone", "192.0.2.1", "action=DUNNO\n\n"},
        {"", "", "192.0.2.1", "action=DUNNO\n\n"},
        {"outrider", "", "192.0.2.1", "action=DUNNO\n\n"},
        {"outrider-submission-2", "", "192.0.2.1", "action=DUNNO\n\n"},
        {"OUTRIDER-SUBMISSION", "", "192.0.2.1", "action=DUNNO\n\n"},
    };
    State *s = *state;

    fill(s);
    int fd = open_socket(s, "policy");
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        ask(fd, cases[i].context, cases[i].user, cases[i].client, "a@b.test", cases[i].wanted);
    expect(fd,
           "request=smtpd_access_policy\nprotocol_state=END-OF-MESSAGE\nclient_address=192.0.2.1\n"
           "policy_context=outrider-submission\n\n",
           "\n\n", "action=DUNNO\n\n");
    close(fd);
}

/* Where the world hands in mail for us: without replicas too. */
static void test_strangers_table(void **state)
{
    static const struct {
        const char *request, *wanted;
    } cases[] = {
        {"protocol_state=RCPT\nsize=0\n", "action=DUNNO"},
        {"protocol_state=RCPT\nsize=104857600\n", "action=DUNNO"},
        {"protocol_state=RCPT\nsize=104857601\n",
         "action=552 5.3.4 A message here has at most 104857600 octets"},
        {"protocol_state=RCPT\nsize=104857601\nsasl_username=someone\n", "action=DUNNO"},
        {"protocol_state=DATA\nsize=104857601\n", "action=DUNNO"},
        {"size=104857601\n", "action=DUNNO"},
    };
    const State *s = *state;
    int fd = open_socket(s, "policy");

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *request =
            g_strdup_printf("request=smtpd_access_policy\nclient_address=192.0.2.1\n%s"
                            "policy_context=outrider-incoming\n\n",
                            cases[i].request);
        g_autofree char *wanted = g_strconcat(cases[i].wanted, "\n\n", NULL);
        expect(fd, request, "\n\n", wanted);
    }
    close(fd);
}

/* The longest prefix counts, whatever has become of its credential, and at once. */
static void test_admission_is_looked_up_anew(void **state)
{
    static const struct {
        const char *sql, *wanted, *elder; /* for .129, and for .1 which is credential 8 */
    } steps[] = {
        {"UPDATE credential SET disabled_at = 1 WHERE id = 9", GONE, "action=OK\n\n"},
        {"UPDATE credential SET disabled_at = NULL, expires_at = 1 WHERE id = 9", GONE,
         "action=OK\n\n"},
        {"UPDATE credential SET expires_at = NULL WHERE id = 9", "action=OK\n\n", "action=OK\n\n"},
        {"UPDATE server SET suspended_at = 1", SUSPENDED, SUSPENDED},
        {"UPDATE server SET suspended_at = NULL", "action=OK\n\n", "action=OK\n\n"},
        {"UPDATE organization SET suspended_at = 1", SUSPENDED, SUSPENDED},
        {"UPDATE organization SET suspended_at = NULL", "action=OK\n\n", "action=OK\n\n"},
        {"DELETE FROM credential_network WHERE credential_id = 9", "action=OK\n\n",
         "action=OK\n\n"},
        {"DELETE FROM credential_network", "action=DUNNO\n\n", "action=DUNNO\n\n"},
    };
    State *s = *state;
    int fd = open_socket(s, "policy");

    ask(fd, ADMISSION, "", "192.0.2.129", "a@b.test", TROUBLE);
    fill(s);
    for (guint i = 0; i < G_N_ELEMENTS(steps); i++) {
        exec(s, steps[i].sql);
        ask(fd, ADMISSION, "", "192.0.2.129", "a@b.test", steps[i].wanted);
        ask(fd, ADMISSION, "", "192.0.2.1", "a@b.test", steps[i].elder);
    }
    close(fd);
}

static void test_senders_at_rcpt(void **state)
{
    static const struct {
        const char *sender, *wanted;
    } cases[] = {
        {"app@acme.test", "DUNNO"},        {"App@Acme.Test", "DUNNO"},  {"", "DUNNO"},
        {"other@acme.test", NULL},         {"app@sub.acme.test", NULL}, {"app", NULL},
        {"app@acme.test@else.test", NULL},
    };
    State *s = *state;

    fill(s);
    exec(s,
         "INSERT INTO credential_sender VALUES (1, 7, 'app@acme.test'), (2, 8, 'app@acme.test')");
    int fd = open_socket(s, "policy");
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        ask(fd, "", "acme/main/7", "198.51.100.1", cases[i].sender,
            cases[i].wanted ? "action=DUNNO\n\n" : WRONG_FROM);
        ask(fd, ADMISSION, "", "192.0.2.1", cases[i].sender,
            cases[i].wanted ? "action=OK\n\n" : WRONG_FROM);
        ask(fd, ADMISSION, "", "192.0.2.129", cases[i].sender, "action=OK\n\n");
    }
    close(fd);
}

static void test_networks_of_a_key(void **state)
{
    static const struct {
        const char *client, *wanted;
    } cases[] = {
        {"rip=192.0.2.9\t", "OK\t1\tuser=acme/main/7\n"},
        {"rip=::ffff:192.0.2.9\t", "OK\t1\tuser=acme/main/7\n"},
        {"rip=192.0.3.9\t", "FAIL\t1\n"},
        {"rip=2001:db8::9\t", "FAIL\t1\n"},
        {"rip=\t", "FAIL\t1\n"},
        {"", "FAIL\t1\n"},
    };
    State *s = *state;

    fill(s);
    exec(s, "INSERT INTO credential_network VALUES (3, 7, 0, x'00000000000000000000FFFFC0000200',"
            " x'00000000000000000000FFFFC00002FF', 120)");
    int fd = open_socket(s, "auth");
    g_autofree char *greeting = read_until(fd, "DONE\n");
    assert_true(g_str_has_prefix(greeting, "VERSION"));
    send_text(fd, "VERSION\t1\t0\nCPID\t1\n");
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *line =
            g_strdup_printf("AUTH\t1\tPLAIN\t%sresp=" PLAIN "\n", cases[i].client);
        expect(fd, line, "\n", cases[i].wanted);
    }
    close(fd);
    /* A session that is open already learns of it as well. */
    fd = open_socket(s, "policy");
    ask(fd, "", "acme/main/7", "192.0.2.9", "a@b.test", "action=DUNNO\n\n");
    ask(fd, "", "acme/main/7", "192.0.3.9", "a@b.test",
        "action=REJECT 5.7.1 Credential may not be used from this address\n\n");
    close(fd);
}

int main(void)
{
    if (!g_file_test(POLICYD_PROGRAM, G_FILE_TEST_IS_EXECUTABLE))
        return 77;
    const struct CMUnitTest tests[] = {
        POLICYD_CASE(test_admission_table),
        POLICYD_CASE(test_strangers_table),
        POLICYD_CASE(test_admission_is_looked_up_anew),
        POLICYD_CASE(test_senders_at_rcpt),
        POLICYD_CASE(test_networks_of_a_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
