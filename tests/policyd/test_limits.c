/* SPDX-License-Identifier: MIT */
/* Limits, as the real program keeps them; skipped (77) where it has not been built. */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/wire/usage.h"
#include "tests/lib/edge_fixture.h"
#include "tests/policyd/policyd_world.h"

#define RCPT_REQUEST(user, recipient)                                                              \
    "request=smtpd_access_policy\nprotocol_state=RCPT\nsasl_username=" user                        \
    "\nrecipient=" recipient "\n\n"
#define END_REQUEST(user, count)                                                                   \
    "request=smtpd_access_policy\nprotocol_state=END-OF-MESSAGE\nsasl_username=" user              \
    "\nrecipient_count=" count "\n\n"
#define CHARGE(message) "charge " message " 1 1 7 ok.test\n"
#define MANY            4000

/* With these limits in force, limit 1 among them; a connection. */
static int ready(const State *s, const char *rows)
{
    policyd_fill(s);
    policyd_set_limits(s, rows);
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
    policyd_set_limits(s, "(1, 'server', 1, '', 'day', 2, 'reject')");
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
    policyd_set_limits(s, "(1, 'server', 1, '', 'day', 5, 'defer')");
    await(fd, CHARGE("2"), "ok");
    policyd_set_limits(s, "(1, 'server', 1, '', 'day', 1, 'reject')");
    await(fd, "count 1\n", "count 2 8"); /* full for a day */
    expect(fd, "reset 99\n", "\n", "none\n");
    expect(fd, "reset 1\n", "\n", "ok\n");
    expect(fd, CHARGE("3"), "\n", "ok\n");
    policyd_set_limits(s, "(2, 'server', 1, '', 'day', 0, 'reject')");
    await(fd, CHARGE("4"), "full 2 reject");
    expect(fd, "count 1\n", "\n", "none\n");
    expect(fd, "count x\n", "\n", ""); /* closed */
    close(fd);
}

/* Asks for changes: "LIMIT:RESETS:COUNT " of each line, and where to go on. */
static char *changes(int fd, UsageMark *mark, gboolean *more)
{
    g_autofree char *request = g_strdup_printf(
        "changes %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT "\n", mark->instance, mark->sequence);
    g_autoptr(GString) shown = g_string_new(NULL);
    UsageKind kind = USAGE_LINE;

    send_text(fd, request);
    while (kind == USAGE_LINE) {
        g_autofree char *line = g_strchomp(read_until(fd, "\n"));
        Usage usage = {0};
        if (!usage_answer_parse(line, &kind, &usage, mark, NULL))
            fail_msg("%s", line);
        guint64 count = 0;
        for (guint i = 0; i < usage.slots.n; i++)
            count += usage.slots.counts[i];
        if (kind == USAGE_LINE)
            g_string_append_printf(shown, "%u:%u:%u ", usage.limit, usage.resets, (guint)count);
    }
    *more = kind == USAGE_MORE;
    return g_string_free(g_steal_pointer(&shown), FALSE);
}

static void assert_changes(int fd, UsageMark *mark, const char *wanted)
{
    gboolean more = TRUE;
    g_autofree char *got = changes(fd, mark, &more);

    assert_string_equal(got, wanted);
    assert_false(more);
}

static void test_changes_are_told_once(void **state)
{
    State *s = *state;
    int fd =
        ready(s, "(1, 'server', 1, '', 'day', 9, 'hold'), (2, 'organization', 1, '', 'minute', "
                 "9, 'hold'), (3, 'credential', 7, '', 'second', 9, 'hold')");
    UsageMark mark = {0}, other = {0};
    gboolean more;

    assert_changes(fd, &mark, "");
    expect(fd, CHARGE("1"), "\n", "ok\n");
    assert_changes(fd, &mark, "2:0:1 1:0:1 "); /* a second is each node's own */
    assert_changes(fd, &mark, "");
    expect(fd, CHARGE("2"), "\n", "ok\n");
    send_text(fd, "refund 2\nkeep 1\n");
    assert_changes(fd, &mark, "2:0:1 1:0:1 ");
    expect(fd, "reset 2\n", "\n", "ok\n");
    assert_changes(fd, &mark, "2:1:0 ");
    assert_changes(fd, &other, "1:0:1 2:1:0 "); /* who asks first is told all */
    other.instance ^= 2;
    assert_changes(fd, &other, "1:0:1 2:1:0 "); /* and who was told by another policyd */
    kill(s->child, SIGKILL);
    waitpid(s->child, NULL, 0);
    close(fd);
    policyd_start(s);
    fd = open_socket(s, "limit");
    await(fd, "count 1\n", "count 1 ");
    guint64 instance = mark.instance;
    g_autofree char *again = changes(fd, &mark, &more);
    assert_true(g_str_equal(again, "1:0:1 2:1:0 ") || g_str_equal(again, "2:1:0 1:0:1 "));
    assert_true(mark.instance != instance);
    policyd_set_limits(s, "(2, 'organization', 1, '', 'minute', 9, 'hold')");
    await(fd, "count 1\n", "none");
    other = (UsageMark){0};
    assert_changes(fd, &other, "2:1:0 ");
    close(fd);
}

static void test_changes_of_many_come_in_pages(void **state)
{
    State *s = *state;
    g_autoptr(GString) rows = g_string_new("(1, 'server', 1, '', 'day', 9, 'hold')");
    g_autoptr(GHashTable) told = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    UsageMark mark = {0};
    gboolean more = TRUE;
    guint pages = 0;

    for (guint i = 2; i <= MANY; i++)
        g_string_append_printf(rows, ", (%u, 'domain', 0, 'd%u.test', 'day', 9, 'hold')", i, i);
    int fd = ready(s, rows->str);
    for (guint i = 1; i <= MANY; i++) {
        g_autofree char *request = g_strdup_printf("reset %u\n", i);
        expect(fd, request, "\n", "ok\n");
    }
    for (; more; pages++) {
        g_autofree char *page = changes(fd, &mark, &more);
        g_auto(GStrv) lines = g_strsplit(g_strchomp(page), " ", -1);
        for (guint i = 0; lines[i]; i++)
            assert_true(g_hash_table_add(told, g_strdup(lines[i])));
    }
    assert_int_equal(g_hash_table_size(told), MANY);
    assert_true(pages > 1);
    close(fd);
}

static void test_shares_count(void **state)
{
    State *s = *state;
    int fd = ready(s, "(1, 'server', 1, '', 'day', 5, 'hold')");

    expect(fd, CHARGE("1"), "\n", "ok\n");
    send_text(fd, "share 2 1 day 0 0 2\nshare 9 1 day 0 0 -\n");
    await(fd, "count 1\n", "count 3 0 1=1 2=2\n");
    send_text(fd, "share 2 1 day 0 0 2\nshare 3 1 day 0 0 0,1\n");
    await(fd, "count 1\n", "count 4 0 1=1 2=2 3=1\n");
    expect(fd, CHARGE("2"), "\n", "ok\n");
    send_text(fd, CHARGE("3"));
    g_autofree char *answer = read_until(fd, "\n");
    assert_true(g_str_has_prefix(answer, "full 1 hold server 5 day 5 "));
    send_text(fd, "share 2 1 day 0 0 1\n"); /* a charge went back there */
    expect(fd, CHARGE("3"), "\n", "ok\n");
    send_text(fd, "share 2 1 day 0 0 900\n");
    await(fd, "count 1\n", "count 904 8");
    send_text(fd, "share 2 1 day 0 90000000000 900\n"); /* more than a day ago */
    await(fd, "count 1\n", "count 4 0 1=3 3=1\n");
    send_text(fd, "share 2 77 day 0 0 1\n"); /* not known here yet */
    policyd_set_limits(s, "(77, 'server', 1, '', 'day', 5, 'hold')");
    await(fd, "count 77\n", "count 1 0 1=0 2=1\n");
    expect(fd, "share 2 1 day 0 0 x\n", "\n", ""); /* closed */
    close(fd);
}

/* Whoever hears of a reset begins anew; what does not know of it yet does not count. */
static void test_reset_is_for_all_nodes(void **state)
{
    State *s = *state;
    int fd = ready(s, "(1, 'server', 1, '', 'day', 9, 'hold'), (2, 'credential', 7, '', 'day', 9, "
                      "'hold')");
    UsageMark mark = {0};
    gboolean more;

    expect(fd, CHARGE("1"), "\n", "ok\n");
    send_text(fd, "keep 1\nshare 2 1 day 0 0 3\n");
    await(fd, "count 1\n", "count 4 0 1=1 2=3\n");
    expect(fd, "reset 1\n", "\n", "ok\n");
    expect(fd, "count 1\n", "\n", "count 0 0\n");
    g_free(changes(fd, &mark, &more));
    send_text(fd, "share 2 1 day 0 0 4\n"); /* has not heard of it: it is told again */
    expect(fd, "count 1\n", "\n", "count 0 0\n");
    assert_changes(fd, &mark, "1:1:0 ");
    send_text(fd, "share 2 1 day 1 0 1\n");
    expect(fd, "count 1\n", "\n", "count 1 0 1=0 2=1\n");
    expect(fd, CHARGE("2"), "\n", "ok\n");
    send_text(fd, "share 2 1 day 3 0 1\n"); /* one of theirs */
    expect(fd, "count 1\n", "\n", "count 1 0 1=0 2=1\n");
    g_free(changes(fd, &mark, &more));
    expect(fd, "reset 1\n", "\n", "ok\n");
    assert_changes(fd, &mark, "1:4:0 ");
    expect(fd, "count 2\n", "\n", "count 2 0\n");
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
        POLICYD_CASE(test_changes_are_told_once),
        POLICYD_CASE(test_changes_of_many_come_in_pages),
        POLICYD_CASE(test_shares_count),
        POLICYD_CASE(test_reset_is_for_all_nodes),
    };
    if (!g_file_test(POLICYD_PROGRAM, G_FILE_TEST_IS_EXECUTABLE))
        return 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
