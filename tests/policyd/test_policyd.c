/* SPDX-License-Identifier: MIT */
/* The real program on its sockets; skipped (77) where it has not been built. */
#include <signal.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/wire/cram.h"
#include "tests/lib/edge_fixture.h"
#include "tests/policyd/policyd_world.h"

#define PLAIN "AHUAYWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4" /* NUL u NUL POLICYD_KEY */
#define WRONG "AHUAd3Jvbmc="
#define MANY  1000

static int open_auth_offered(const State *s, gboolean cram)
{
    int fd = open_socket(s, "auth");
    g_autofree char *greeting = read_until(fd, "DONE\n");

    assert_true(g_str_has_prefix(greeting, "VERSION\t1\t"));
    assert_int_equal(strstr(greeting, "\nMECH\tCRAM-MD5") != NULL, cram);
    assert_true(g_str_has_suffix(greeting, "\nDONE\n"));
    send_text(fd, "VERSION\t1\t0\nCPID\t1\n");
    return fd;
}

static int open_auth(const State *s)
{
    return open_auth_offered(s, TRUE);
}

static void test_auth_mechanisms(void **state)
{
    State *s = *state;
    char digest[CRAM_DIGEST_LENGTH + 1];
    guint8 cram[CRAM_STATE_LENGTH];
    gsize length;

    policyd_fill(s);
    int fd = open_auth(s);
    expect(fd, "AUTH\t1\tPLAIN\tservice=smtp\trip=192.0.2.9\tresp=" PLAIN "\n", "\n",
           "OK\t1\tuser=acme/main/7\n");
    expect(fd, "AUTH\t2\tPLAIN\tservice=smtp\n", "\n", "CONT\t2\t\n");
    expect(fd, "CONT\t2\t" PLAIN "\n", "\n", "OK\t2\tuser=acme/main/7\n");
    expect(fd, "AUTH\t3\tLOGIN\n", "\n", "CONT\t3\tVXNlcm5hbWU6\n");
    expect(fd, "CONT\t3\tdQ==\n", "\n", "CONT\t3\tUGFzc3dvcmQ6\n");
    expect(fd, "CONT\t3\tYWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4\n", "\n", "OK\t3\tuser=acme/main/7\n");
    cram_state_make(POLICYD_KEY, cram);
    for (int i = 0; i < 2; i++) {
        send_text(fd, "AUTH\t4\tCRAM-MD5\n");
        g_autofree char *prompt = read_until(fd, "\n");
        prompt[strlen(prompt) - 1] = '\0';
        g_autofree guchar *challenge = g_base64_decode(prompt + 7, &length);
        g_autofree char *text = g_strndup((const char *)challenge, length);
        cram_digest(cram, text, digest);
        g_autofree char *plain = g_strdup_printf("acme%cmain %s", i ? '_' : '/', digest);
        g_autofree char *encoded = g_base64_encode((const guchar *)plain, strlen(plain));
        g_autofree char *line = g_strdup_printf("CONT\t4\t%s\n", encoded);
        expect(fd, line, "\n", "OK\t4\tuser=acme/main/7\n");
    }
    close(fd);
}

/* A wrong digest, and a right key behind it: the answers as they come. */
static void expect_both(int fd, const char *user, const char *first, const char *second)
{
    g_autofree char *plain = g_strdup_printf("%s 0123456789abcdef0123456789abcdef", user);
    g_autofree char *encoded = g_base64_encode((const guchar *)plain, strlen(plain));
    g_autofree char *lines =
        g_strdup_printf("CONT\t1\t%s\nAUTH\t2\tPLAIN\tresp=" PLAIN "\n", encoded);

    send_text(fd, "AUTH\t1\tCRAM-MD5\n");
    g_free(read_until(fd, "\n"));
    expect(fd, lines, "\n", first);
    expect(fd, "", "\n", second);
}

#define FAILED "FAIL\t1\n"
#define WENT   "OK\t2\tuser=acme/main/7\n"

/* Who takes it for want of a better one goes on to the next: nothing was guessed at, and no answer waits. */
static void test_auth_without_cram(void **state)
{
    static const char *const users[] = {"acme/main", "acme_main", "acme/other", "none/main",
                                        "acme"};
    State *s = *state;
    EdgeFixture fixture = {.key = POLICYD_KEY};

    edge_fixture_fill(s->edge, &fixture);
    int fd = open_auth_offered(s, FALSE);
    for (guint i = 0; i < G_N_ELEMENTS(users); i++)
        expect_both(fd, users[i], FAILED, WENT);
    close(fd);
}

/* A guess's answer waits, whatever the server's name is read as, and with the key before the last one, too. */
static void test_auth_wrong_digest_waits(void **state)
{
    static const char *const changes[] = {
        "SELECT 1", "UPDATE credential_secret SET old_cram_state = cram_state, cram_state = NULL, "
                    "old_until = 1 << 40"};
    State *s = *state;

    policyd_fill(s);
    for (guint i = 0; i < G_N_ELEMENTS(changes); i++) {
        edge_fixture_exec(s->edge, EDGE_FILE_AUTH, changes[i]);
        int fd = open_auth(s);
        expect_both(fd, i ? "acme_main" : "acme/main", WENT, FAILED);
        close(fd);
    }
}

static void test_auth_refusals_are_uniform(void **state)
{
    static const char *const requests[] = {"PLAIN\tresp=" WRONG, "PLAIN\tresp=****", "NTLM",
                                           "PLAIN\tresp=" PLAIN};
    State *s = *state;

    policyd_fill(s);
    edge_fixture_exec(s->edge, EDGE_FILE_DIRECTORY, "UPDATE credential SET disabled_at = 1");
    int fd = open_auth(s);
    for (guint i = 0; i < G_N_ELEMENTS(requests); i++) {
        g_autofree char *line = g_strdup_printf("AUTH\t5\t%s\n", requests[i]);
        expect(fd, line, "\n", "FAIL\t5\n");
    }
    close(fd);
}

/* The refusal waits; the other client's answer does not. */
static void test_auth_delay_holds_nobody_else(void **state)
{
    State *s = *state;

    policyd_fill(s);
    int slow = open_auth(s), other = open_auth(s);
    send_text(slow, "AUTH\t1\tPLAIN\tresp=" WRONG "\n");
    expect(other, "AUTH\t1\tPLAIN\tresp=" PLAIN "\n", "\n", "OK\t1\tuser=acme/main/7\n");
    char c;
    assert_int_equal(recv(slow, &c, 1, MSG_DONTWAIT), -1);
    g_autofree char *answer = read_until(slow, "\n");
    assert_string_equal(answer, "FAIL\t1\n");
    send_text(slow, "AUTH\t2\tPLAIN\tresp=" WRONG "\n");
    close(slow); /* gone while its answer waits */
    expect(other, "AUTH\t2\tPLAIN\tresp=" PLAIN "\n", "\n", "OK\t2\tuser=acme/main/7\n");
    close(other);
}

static void test_replica_missing_then_appearing(void **state)
{
    State *s = *state;
    int fd = open_auth(s), policy = open_socket(s, "policy");

    expect(fd, "AUTH\t1\tPLAIN\tresp=" PLAIN "\n", "\n", ""); /* closed: 454 */
    close(fd);
    expect(policy,
           "request=smtpd_access_policy\nprotocol_state=RCPT\nsasl_username=acme/main/7\n\n",
           "\n\n", "action=DEFER_IF_PERMIT 4.3.0 Temporary lookup failure\n\n");
    expect(policy, "request=smtpd_access_policy\nprotocol_state=RCPT\nsasl_username=\n\n", "\n\n",
           "action=DUNNO\n\n");
    policyd_fill(s);
    fd = open_auth(s);
    expect(fd, "AUTH\t1\tPLAIN\tresp=" PLAIN "\n", "\n", "OK\t1\tuser=acme/main/7\n");
    edge_fixture_exec(s->edge, EDGE_FILE_DIRECTORY, "UPDATE server SET suspended_at = 1");
    expect(policy,
           "request=smtpd_access_policy\nprotocol_state=RCPT\nsasl_username=acme/main/7\n\n",
           "\n\n", "action=REJECT 5.7.1 Mail server has been suspended\n\n");
    close(fd);
    close(policy);
}

#define RCPT(to)                                                                                   \
    "request=smtpd_access_policy\nprotocol_state=RCPT\nsasl_username=acme/main/7\nrecipient=" to   \
    "\n\n"

#define TRIES 500

/* Limits are known a moment after the replicas are. */
static void await_policy(int fd, const char *request, const char *wanted)
{
    g_autofree char *answer = NULL;

    for (guint i = 0; i < TRIES; i++) {
        send_text(fd, request);
        g_free(answer);
        answer = read_until(fd, "\n\n");
        if (g_str_has_prefix(answer, wanted))
            return;
        g_usleep(10000);
    }
    fail_msg("%s: %s, never %s", request, answer, wanted);
}

/* Refused where the server wants it so; held by the milter, and so let pass here, in all other cases. */
static void test_suppressed_recipients(void **state)
{
    static const struct {
        const char *change, *answer;
    } cases[] = {
        {"UPDATE server SET suppression = 'hold'", "action=DUNNO"},
        {"UPDATE server SET suppression = 'refuse'",
         "action=550 5.7.1 gone@x.test is suppressed for server acme/main: d?? t "
         "(manual, since 1970-01-01)"},
        {"UPDATE server SET shadow = 1", "action=DUNNO"},
        {"UPDATE server SET shadow = 0; UPDATE credential SET hold = 1", "action=DUNNO"},
        {"UPDATE credential SET hold = 0", "action=550 5.7.1 gone@x.test"},
    };
    State *s = *state;
    int fd = open_socket(s, "policy");

    policyd_fill(s);
    edge_fixture_exec(
        s->edge, EDGE_FILE_SUPPRESSION,
        "INSERT INTO suppression VALUES (1, 1, 'gone@x.test', 'manual', 'd\xc3\xa9 t', 1, NULL), "
        "(2, -1, '@closed.test', 'manual', 'all', 1, NULL), "
        "(3, 0, 'over@x.test', 'manual', 'over', 1, 2)");
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        edge_fixture_exec(s->edge, EDGE_FILE_DIRECTORY, cases[i].change);
        await_policy(fd, RCPT("Gone@X.test"), cases[i].answer);
    }
    await_policy(fd, RCPT("any@closed.test"),
                 "action=550 5.7.1 @closed.test is suppressed for organization acme: all");
    await_policy(fd, RCPT("over@x.test"), "action=DUNNO");
    await_policy(fd, RCPT("other@x.test"), "action=DUNNO");
    g_autofree char *replica =
        g_build_filename(s->edge, edge_file_name(EDGE_FILE_SUPPRESSION), NULL);
    g_unlink(replica);
    await_policy(fd, RCPT("other@x.test"),
                 "action=DEFER_IF_PERMIT 4.3.0 Suppressions cannot be looked up now");
    close(fd);
}

static void test_map_answers(void **state)
{
    State *s = *state;
    policyd_fill(s);
    int fd = open_socket(s, "map");

    expect(fd, "11:transport a,", ",", "18:PERM no such table,");
    edge_fixture_exec(
        s->edge, EDGE_FILE_DIRECTORY,
        "INSERT INTO route VALUES (1, 1, 1, 'acme.test', 'info', 'aaaaaaaa', 'accept', 'mark'),"
        "(2, 1, 1, 'acme.test', 'closed', 'bbbbbbbb', 'reject', 'mark')");
    expect(fd, "18:relaydom acme.test,", ",", "7:OK ours,");
    expect(fd, "24:relayrcpt info@acme.test,", ",", "7:OK ours,");
    expect(fd, "26:relayrcpt closed@acme.test,", ",", "9:NOTFOUND ,");
    expect(fd, "11:relayrcpt *,", ",", "9:NOTFOUND ,");
    expect(fd, "12:relayrcpt <>,", ",", "9:NOTFOUND ,");
    expect(fd, "10:relaydom a,13:relayrcpt a@b,", "NOTFOUND ,9:NOTFOUND ,",
           "9:NOTFOUND ,9:NOTFOUND ,");
    expect(fd, "7:other a,", ",", "18:PERM no such table,");
    edge_fixture_exec(s->edge, EDGE_FILE_DIRECTORY, "UPDATE server SET suspended_at = 5");
    expect(fd, "24:relayrcpt info@acme.test,", ",",
           "51:TEMP the mail server of this recipient is suspended,");
    close(fd);
}

static void test_garbage_closes_only_itself(void **state)
{
    static const char *const names[] = {"auth", "policy", "map", "limit"};
    State *s = *state;
    char rubbish[20000];

    policyd_fill(s);
    int good = open_auth(s);
    for (guint i = 0; i < 60; i++) {
        int fd = open_socket(s, names[i % 4]);
        for (gsize j = 0; j < sizeof(rubbish); j++)
            rubbish[j] = (char)g_random_int_range(0, 256);
        if (i % 2)
            memset(rubbish, 'a', sizeof(rubbish)); /* no end of a line */
        send(fd, rubbish, sizeof(rubbish), MSG_NOSIGNAL);
        g_autofree char *rest = read_until(fd, "never");
        close(fd);
    }
    expect(good, "AUTH\t1\tPLAIN\tresp=" PLAIN "\n", "\n", "OK\t1\tuser=acme/main/7\n");
    close(good);
}

static void test_many_connections_and_half_lines(void **state)
{
    State *s = *state;
    int fds[MANY];

    policyd_fill(s);
    for (int i = 0; i < MANY; i++) {
        fds[i] = open_auth(s);
        send_text(fds[i], "AUTH\t1\tPLA");
    }
    for (int i = 0; i < MANY; i++) {
        expect(fds[i], "IN\tresp=" PLAIN "\n", "\n", "OK\t1\tuser=acme/main/7\n");
        close(fds[i]);
    }
}

static void test_hangup_goes_on(void **state)
{
    State *s = *state;

    policyd_fill(s);
    int fd = open_auth(s);
    kill(s->child, SIGHUP);
    expect(fd, "AUTH\t1\tPLAIN\tresp=" PLAIN "\n", "\n", "OK\t1\tuser=acme/main/7\n");
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POLICYD_CASE(test_auth_mechanisms),
        POLICYD_CASE(test_auth_without_cram),
        POLICYD_CASE(test_auth_wrong_digest_waits),
        POLICYD_CASE(test_auth_refusals_are_uniform),
        POLICYD_CASE(test_auth_delay_holds_nobody_else),
        POLICYD_CASE(test_replica_missing_then_appearing),
        POLICYD_CASE(test_suppressed_recipients),
        POLICYD_CASE(test_map_answers),
        POLICYD_CASE(test_garbage_closes_only_itself),
        POLICYD_CASE(test_many_connections_and_half_lines),
        POLICYD_CASE(test_hangup_goes_on),
    };
    if (!g_file_test(POLICYD_PROGRAM, G_FILE_TEST_IS_EXECUTABLE))
        return 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
