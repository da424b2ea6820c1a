/* SPDX-License-Identifier: MIT */
/* Limits, as the real program keeps them; skipped (77) where it has not been built. */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/edge_fixture.h"
#include "tests/policyd/policyd_world.h"

#define RCPT_REQUEST(user, recipient)                                                              \
    "request=smtpd_access_policy\nprotocol_state=RCPT\nsasl_username=" user                        \
    "\nrecipient=" recipient "\n\n"
#define END_REQUEST(user, count)                                                                   \
    "request=smtpd_access_policy\nprotocol_state=END-OF-MESSAGE\nsasl_username=" user              \
    "\nrecipient_count=" count "\n\n"
#define CHARGE(message) "charge " message " 1 1 7 ok.test\n"
#define ASKED           3000 /* times */

/* Puts limits in force: the columns of rate_limit, row by row. */
static void set_limits(const State *s, const char *rows)
{
    g_autofree char *sql = g_strdup_printf("DELETE FROM rate_limit; INSERT INTO rate_limit VALUES "
                                           "%s; UPDATE edge_state SET revision = "
                                           "revision + 1",
                                           rows);

    edge_fixture_exec(s->edge, EDGE_FILE_DIRECTORY, sql);
}

/* Asks until the answer begins as wanted: what changed in the replicas counts within a second or two. */
static void await(int fd, const char *request, const char *wanted)
{
    g_autofree char *answer = NULL;

    for (guint i = 0; i < ASKED; i++) {
        send_text(fd, request);
        g_free(answer);
        answer = read_until(fd, "\n");
        if (g_str_has_prefix(answer, wanted))
            return;
        g_usleep(10000);
    }
    fail_msg("%s: %s, never %s", request, answer, wanted);
}

/* With these limits in force, limit 1 among them; a connection. */
static int ready(const State *s, const char *rows)
{
    policyd_fill(s);
    set_limits(s, rows);
    int fd = open_socket(s, "limit");
    await(fd, "count 1\n", "count 0 ");
    return fd;
}

/* A connection that was closed is noticed in its turn, so this asks until it is so. */
static void assert_counted(const State *s, guint wanted)
{
    g_autofree char *prefix = g_strdup_printf("count %u ", wanted);
    int fd = open_socket(s, "limit");

    await(fd, "count 1\n", prefix);
    close(fd);
}

static void test_charge_until_full(void **state)
{
    State *s = *state;
    int fd = ready(s, "(1, 'server', 1, '', 'day', 2, 'hold')");

    expect(fd, CHARGE("1"), "\n", "ok\n");
    expect(fd, CHARGE("2"), "\n", "ok\n");
    expect(fd, CHARGE("1"), "\n", "ok\n"); /* not again */
    send_text(fd, CHARGE("3"));
    g_autofree char *answer = read_until(fd, "\n");
    assert_true(g_str_has_prefix(answer, "full 1 hold server 2 day 2 "));
    send_text(fd, "refund 2\nrefund 2\nrefund 99\n");
    expect(fd, CHARGE("3"), "\n", "ok\n");
    send_text(fd, "keep 1\nkeep 3\n");
    expect(fd, CHARGE("1"), "\n", "ok\n"); /* a retry is free */
    expect(fd, CHARGE("3"), "\n", "ok\n");
    assert_counted(s, 2);
    close(fd);
    assert_counted(s, 2);
}

static void test_end_of_the_connection_refunds(void **state)
{
    State *s = *state;
    int fd = ready(s, "(1, 'organization', 1, '', 'hour', 10, 'defer')");
    int other = open_socket(s, "limit");

    expect(fd, CHARGE("1"), "\n", "ok\n");
    expect(fd, CHARGE("2"), "\n", "ok\n");
    expect(other, CHARGE("3"), "\n", "ok\n");
    send_text(fd, "keep 1\n");
    assert_counted(s, 3);
    close(fd);
    assert_counted(s, 2);
    close(other);
    assert_counted(s, 1);
    close(fd);
}

/* The hop may bring a message again while the first copy is on its way: there is room for both or for none. */
static void test_copies_share_a_charge(void **state)
{
    State *s = *state;
    int fd = ready(s, "(1, 'server', 1, '', 'day', 1, 'reject')");
    int other = open_socket(s, "limit");

    expect(fd, CHARGE("3"), "\n", "ok\n");
    expect(other, CHARGE("3"), "\n", "ok\n");
    assert_counted(s, 1);
    send_text(fd, "refund 3\n");
    send_text(fd, CHARGE("4"));
    g_autofree char *answer = read_until(fd, "\n");
    assert_true(g_str_has_prefix(answer, "full 1 reject server 1 day 1 "));
    send_text(other, "keep 3\n");
    expect(other, CHARGE("3"), "\n", "ok\n");
    close(other);
    expect(fd, CHARGE("3"), "\n", "ok\n");
    assert_counted(s, 1);
    /* Neither was taken. */
    set_limits(s, "(1, 'server', 1, '', 'day', 2, 'reject')");
    other = open_socket(s, "limit");
    await(fd, CHARGE("5"), "ok");
    expect(other, CHARGE("5"), "\n", "ok\n");
    close(fd);
    assert_counted(s, 2);
    send_text(other, "refund 5\n");
    assert_counted(s, 1);
    close(other);
}

static void test_gravest_action_counts(void **state)
{
    State *s = *state;
    int fd =
        ready(s, "(1, 'server', 1, '', 'day', 0, 'hold'), (2, 'credential', 7, '', 'day', 0, "
                 "'reject'), (3, 'domain', 0, 'ok.test', 'day', 0, 'defer'), (4, 'organization', "
                 "1, '', 'second', 100, 'reject')");

    send_text(fd, CHARGE("1"));
    g_autofree char *answer = read_until(fd, "\n");
    assert_string_equal(answer, "full 2 reject credential 0 day 0 -1\n");
    send_text(fd, "charge 1 1 1 8 ok.test\n");
    g_autofree char *other = read_until(fd, "\n");
    assert_string_equal(other, "full 3 defer domain 0 day 0 -1\n");
    expect(fd, "charge 1 2 2 8 other.test\n", "\n", "ok\n");
    close(fd);
}

/* The answer is text and the id of the refusal, which is returned. */
static guint64 expect_refusal(int fd, const char *request, const char *text)
{
    g_autofree char *prefix = g_strdup_printf("action=%s; outrider explain ", text);
    guint64 id = 0;

    send_text(fd, request);
    g_autofree char *answer = read_until(fd, "\n\n");
    if (!g_str_has_prefix(answer, prefix))
        fail_msg("%s, not %s", answer, prefix);
    g_strchomp(answer);
    assert_true(g_ascii_string_to_unsigned(answer + strlen(prefix), 10, 1, G_MAXINT64, &id, NULL));
    return id;
}

static void test_refused_at_rcpt(void **state)
{
    State *s = *state;
    int fd =
        ready(s, "(1, 'server', 1, '', 'day', 1, 'reject'), (2, 'domain', 0, 'slow.test', 'hour', "
                 "0, 'defer'), (3, 'domain', 0, 'held.test', 'hour', 0, 'hold')");
    int policy = open_socket(s, "policy");

    expect(policy, RCPT_REQUEST("acme/main/7", "a@ok.test"), "\n\n", "action=DUNNO\n\n");
    expect(policy, RCPT_REQUEST("acme/main/7", "a@held.test"), "\n\n", "action=DUNNO\n\n");
    guint64 id = expect_refusal(policy, RCPT_REQUEST("acme/main/7", "a@SLOW.test"),
                                "DEFER 4.7.1 Limit of 0 messages per hour for recipients at "
                                "slow.test is reached (limit 2)");
    expect(fd, CHARGE("1"), "\n", "ok\n");
    const char *reject =
        "REJECT 5.7.1 Limit of 1 message per day for server acme/main is reached (limit 1)";
    guint64 other = expect_refusal(policy, RCPT_REQUEST("acme/main/7", "a@ok.test"), reject);
    assert_int_not_equal(id, other);
    /* Of the same second or the next: not one for each. */
    guint64 ids[20], different = 0;
    for (guint i = 0; i < G_N_ELEMENTS(ids); i++) {
        ids[i] = expect_refusal(policy, RCPT_REQUEST("acme/main/7", "b@ok.test"), reject);
        different += i > 0 && ids[i] != ids[i - 1];
    }
    assert_in_range(different, 0, 2);
    expect(policy, RCPT_REQUEST("", "a@ok.test"), "\n\n", "action=DUNNO\n\n");
    edge_fixture_exec(s->edge, EDGE_FILE_DIRECTORY, "UPDATE server SET shadow = 1");
    expect(policy, RCPT_REQUEST("acme/main/7", "a@ok.test"), "\n\n", "action=DUNNO\n\n");
    close(policy);
    close(fd);
}

/* A relay that has no milter of ours. */
static void test_users_alone(void **state)
{
    State *s = *state;
    int fd = ready(
        s, "(1, 'user', 0, 'ann@relay.test', 'hour', 5, 'reject'), (2, 'user', 0, "
           "'bob@relay.test', 'hour', 1, 'hold'), (3, 'user', 0, 'dan@relay.test', 'hour', 2, "
           "'defer')");
    int policy = open_socket(s, "policy");

    expect(policy, RCPT_REQUEST("ann@relay.test", "a@ok.test"), "\n\n", "action=DUNNO\n\n");
    expect(policy, END_REQUEST("ann@relay.test", "3"), "\n\n", "action=DUNNO\n\n");
    assert_counted(s, 3);
    expect(
        policy, END_REQUEST("ann@relay.test", "3"), "\n\n",
        "action=REJECT 5.7.1 Limit of 5 messages per hour for this user is reached (limit 1)\n\n");
    expect(policy, END_REQUEST("ann@relay.test", "2"), "\n\n", "action=DUNNO\n\n");
    expect(
        policy, RCPT_REQUEST("ann@relay.test", "a@ok.test"), "\n\n",
        "action=REJECT 5.7.1 Limit of 5 messages per hour for this user is reached (limit 1)\n\n");
    expect(policy, END_REQUEST("bob@relay.test", "1"), "\n\n", "action=DUNNO\n\n");
    expect(policy, RCPT_REQUEST("bob@relay.test", "a@ok.test"), "\n\n", "action=DUNNO\n\n");
    expect(policy, END_REQUEST("bob@relay.test", "1"), "\n\n",
           "action=HOLD Limit of 1 message per hour for this user is reached (limit 2)\n\n");
    /* Put off while there may be room later, and no longer. */
    const char *text = "4.7.1 Limit of 2 messages per hour for this user is reached (limit 3)";
    g_autofree char *defer = g_strdup_printf("action=DEFER %s\n\n", text);
    g_autofree char *reject = g_strdup_printf("action=REJECT 5%s\n\n", text + 1);
    expect(policy, END_REQUEST("dan@relay.test", "1"), "\n\n", "action=DUNNO\n\n");
    expect(policy, END_REQUEST("dan@relay.test", "2"), "\n\n", defer);
    expect(policy, END_REQUEST("dan@relay.test", "3"), "\n\n", reject);
    expect(policy, END_REQUEST("carol@relay.test", "1"), "\n\n", "action=DUNNO\n\n");
    expect(
        policy, END_REQUEST("ann@relay.test", "nonsense"), "\n\n",
        "action=REJECT 5.7.1 Limit of 5 messages per hour for this user is reached (limit 1)\n\n");
    close(policy);
    close(fd);
}

static void test_kill_loses_nothing(void **state)
{
    State *s = *state;
    int fd = ready(s, "(1, 'server', 1, '', 'day', 1000, 'hold')");

    for (guint message = 1; message <= 500; message++) {
        g_autofree char *request =
            g_strdup_printf("charge %u 1 1 7 ok.test\nkeep %u\n", message, message);
        expect(fd, request, "\n", "ok\n");
    }
    kill(s->child, SIGKILL);
    waitpid(s->child, NULL, 0);
    close(fd);
    policyd_start(s);
    assert_counted(s, 500);
    fd = open_socket(s, "limit");
    expect(fd, CHARGE("77"), "\n", "ok\n");
    assert_counted(s, 500);
    expect(fd, CHARGE("501"), "\n", "ok\n");
    assert_counted(s, 501);
    close(fd);
}

/* Nothing passes uncounted because the directory was not read yet; mail that is not ours does not wait. */
static void test_nothing_is_charged_before_limits_are_known(void **state)
{
    State *s = *state;
    int policy = open_socket(s, "policy");
    int fd = open_socket(s, "limit");

    expect(fd, CHARGE("1"), "\n", ""); /* closed: 451 */
    close(fd);
    expect(policy, RCPT_REQUEST("ann@relay.test", "a@ok.test"), "\n\n", "action=DUNNO\n\n");
    expect(policy, END_REQUEST("ann@relay.test", "3"), "\n\n", "action=DUNNO\n\n");
    fd = ready(s, "(1, 'server', 1, '', 'day', 2, 'hold')");
    expect(fd, CHARGE("1"), "\n", "ok\n");
    close(fd);
    close(policy);
}

static void test_limits_come_and_go(void **state)
{
    State *s = *state;
    int fd = ready(s, "(1, 'server', 1, '', 'day', 1, 'hold')");

    expect(fd, CHARGE("1"), "\n", "ok\n");
    set_limits(s, "(1, 'server', 1, '', 'day', 5, 'defer')");
    await(fd, CHARGE("2"), "ok");
    set_limits(s, "(1, 'server', 1, '', 'day', 1, 'reject')");
    await(fd, "count 1\n", "count 2 8"); /* full for a day */
    expect(fd, "reset 99\n", "\n", "none\n");
    expect(fd, "reset 1\n", "\n", "ok\n");
    expect(fd, CHARGE("3"), "\n", "ok\n");
    set_limits(s, "(2, 'server', 1, '', 'day', 0, 'reject')");
    await(fd, CHARGE("4"), "full 2 reject");
    expect(fd, "count 1\n", "\n", "none\n");
    expect(fd, "count x\n", "\n", ""); /* closed */
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POLICYD_CASE(test_charge_until_full),
        POLICYD_CASE(test_end_of_the_connection_refunds),
        POLICYD_CASE(test_copies_share_a_charge),
        POLICYD_CASE(test_gravest_action_counts),
        POLICYD_CASE(test_refused_at_rcpt),
        POLICYD_CASE(test_users_alone),
        POLICYD_CASE(test_kill_loses_nothing),
        POLICYD_CASE(test_nothing_is_charged_before_limits_are_known),
        POLICYD_CASE(test_limits_come_and_go),
    };
    if (!g_file_test(POLICYD_PROGRAM, G_FILE_TEST_IS_EXECUTABLE))
        return 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
