/* SPDX-License-Identifier: MIT */
/* Which held messages outrider-queue is asked about, and how, against one that a thread plays. */
#include "cli/hold_ask.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/base/id.h"
#include "tests/lib/testing.h"

#define ID(node)      ((guint64)60000000 << ID_SECONDS_SHIFT | (node))
#define ANSWER_MAX    8
#define LONG_QUEUE_ID "4VbcdfghjkzBCDFGHJKLMNPQRSTVWXYZ" /* 32 octets */
#define LONG_IDS_MOST ((QUEUE_REQUEST_MAX - 8) / 33)

static char *dir;
static Config *config;
static int listener;

static void test_hold_decide(void **state)
{
    static const struct {
        HoldMessage message;
        guint node;
        HoldVerdict verdict;
        const char *why;
    } cases[] = {
        {{ID(1), "Held", TRUE, "4VBCDF1234z1"}, 1, HOLD_ASK, ""},
        {{ID(1), "Held", TRUE, "51FC7A9A54A"}, 1, HOLD_ASK, ""},
        {{ID(1), "SoftFail", TRUE, "51FC7A9A54A"}, 1, HOLD_ASK, ""}, /* held by hand */
        {{ID(255), "Held", TRUE, "51FC7A9A54A"}, 255, HOLD_ASK, ""},
        {{ID(1), NULL, FALSE, NULL}, 1, HOLD_UNKNOWN, "no such message"},
        {{ID(2), NULL, FALSE, NULL}, 1, HOLD_UNKNOWN, "no such message"},
        {{ID(1), "Sent", FALSE, "51FC7A9A54A"}, 1, HOLD_NOT_HELD, "not on hold: Sent"},
        {{ID(1), "Pending", FALSE, "51FC7A9A54A"}, 1, HOLD_NOT_HELD, "not on hold: Pending"},
        {{ID(1), "Held", FALSE, NULL}, 1, HOLD_NOT_HELD, "not on hold: Held"},
        {{ID(2), "Sent", FALSE, NULL}, 1, HOLD_NOT_HELD, "not on hold: Sent"},
        {{ID(2), "Held", TRUE, "51FC7A9A54A"},
         1,
         HOLD_ELSEWHERE,
         "held by node 2: release it there"},
        {{ID(1), "Held", TRUE, NULL}, 2, HOLD_ELSEWHERE, "held by node 1: release it there"},
        {{ID(1), "Held", TRUE, NULL}, 1, HOLD_NO_QUEUE_ID, "its queue id is not known"},
        {{ID(1), "Held", TRUE, ""}, 1, HOLD_NO_QUEUE_ID, "its queue id is not known"},
        {{ID(1), "Held", TRUE, "ALL"}, 1, HOLD_NO_QUEUE_ID, "its queue id is not known"},
        {{ID(1), "Held", TRUE, "-"}, 1, HOLD_NO_QUEUE_ID, "its queue id is not known"},
        {{ID(1), "Held", TRUE, "51FC7A9A54A\n"}, 1, HOLD_NO_QUEUE_ID, "its queue id is not known"},
        {{ID(1), "Held", TRUE, "51FC7A A54A"}, 1, HOLD_NO_QUEUE_ID, "its queue id is not known"},
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        HoldVerdict verdict = hold_decide(&cases[i].message, cases[i].node);
        g_autofree char *why = hold_why_not(verdict, &cases[i].message, QUEUE_RELEASE);
        if (verdict != cases[i].verdict || !g_str_equal(why, cases[i].why))
            fail_msg("case %zu: %d, %s", i, verdict, why);
    }
    g_autofree char *cancel = hold_why_not(HOLD_ELSEWHERE, &cases[10].message, QUEUE_DELETE);
    assert_string_equal(cancel, "held by node 2: cancel it there");
}

/* One batch is full at 1,000 messages, or before its line is too long. */
static void test_hold_batch_add_full(void **state)
{
    g_autoptr(HoldBatch) many = hold_batch_new(config, QUEUE_RELEASE);
    g_autoptr(HoldBatch) longer = hold_batch_new(config, QUEUE_RELEASE);
    guint n = 0;

    (void)state;
    while (hold_batch_add(many, ID(1), "51FC7A9A54A"))
        n++;
    assert_int_equal(n, QUEUE_IDS_MAX);
    assert_int_equal(hold_batch_count(many), QUEUE_IDS_MAX);
    assert_true(queue_id_is_good(LONG_QUEUE_ID, strlen(LONG_QUEUE_ID)));
    for (n = 0; hold_batch_add(longer, ID(1), LONG_QUEUE_ID);)
        n++;
    assert_int_equal(n, LONG_IDS_MOST);
    assert_true(n < QUEUE_IDS_MAX);
}

/* What a thread answers: a connection for each line of the script, a "|" between the answers of one. NULL
 * ends it; then nobody is connected to any more. An empty answer closes the connection. */
static gpointer play(gpointer data)
{
    const char *const *script = data;
    GString *asked = g_string_new(NULL);

    for (; *script; script++) {
        g_auto(GStrv) answers = g_strsplit(*script, "|", -1);
        int fd = accept(listener, NULL, NULL);
        for (guint i = 0; answers[i] && *answers[i]; i++) {
            char text[QUEUE_REQUEST_MAX];
            gsize have = 0;
            gssize got;
            while ((have == 0 || text[have - 1] != '\n') &&
                   (got = recv(fd, text + have, sizeof text - have, 0)) > 0)
                have += (gsize)got;
            g_string_append_len(asked, text, (gssize)have);
            send(fd, answers[i], strlen(answers[i]), MSG_NOSIGNAL);
        }
        close(fd);
    }
    return g_string_free(asked, FALSE);
}

static void note(guint64 id, const QueueAnswer *answer, gpointer data)
{
    g_string_append_printf(data, "%u:%s%s ", id_node(id), queue_result_name(answer->result),
                           answer->why);
}

static void add_two(HoldBatch *batch)
{
    assert_true(hold_batch_add(batch, ID(1), "51FC7A9A54A"));
    assert_true(hold_batch_add(batch, ID(2), "51FC7A9A54B"));
}

#define GOOD "51FC7A9A54A done\n51FC7A9A54B refused not a message of ours\n.\n"

static void test_hold_batch_send(void **state)
{
    static const char *const script[] = {GOOD "|51FC7A9A54A absent\n51FC7A9A54B done\n.\n",
                                         /* closed after it was idle: again, on a new one */
                                         GOOD, NULL};
    g_autoptr(GString) told = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    GThread *thread = g_thread_new("queue", play, (gpointer)(guintptr)script);
    HoldBatch *batch = hold_batch_new(config, QUEUE_RELEASE);

    (void)state;
    for (guint i = 0; i < 3; i++) {
        add_two(batch);
        assert_true(hold_batch_send(batch, note, told, &error));
        assert_int_equal(hold_batch_count(batch), 0);
        g_string_append(told, "/ ");
    }
    hold_batch_free(batch);
    g_autofree char *asked = g_thread_join(thread);
    assert_string_equal(told->str, "1:done 2:refusednot a message of ours / 1:absent 2:done / "
                                   "1:done 2:refusednot a message of ours / ");
    assert_string_equal(asked, "release 51FC7A9A54A 51FC7A9A54B\nrelease 51FC7A9A54A 51FC7A9A54B\n"
                               "release 51FC7A9A54A 51FC7A9A54B\n");
}

static void test_hold_batch_send_later_stays(void **state)
{
    static const char *const script[] = {
        "51FC7A9A54A later\n51FC7A9A54B done\n.\n|51FC7A9A54A done\n.\n", NULL};
    g_autoptr(GString) told = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    GThread *thread = g_thread_new("queue", play, (gpointer)(guintptr)script);
    HoldBatch *batch = hold_batch_new(config, QUEUE_RELEASE);

    (void)state;
    add_two(batch);
    assert_true(hold_batch_send(batch, note, told, &error));
    assert_int_equal(hold_batch_count(batch), 1);
    assert_true(hold_batch_send(batch, note, told, &error));
    assert_int_equal(hold_batch_count(batch), 0);
    hold_batch_free(batch);
    g_autofree char *asked = g_thread_join(thread);
    assert_string_equal(told->str, "2:done 1:done ");
    assert_string_equal(asked, "release 51FC7A9A54A 51FC7A9A54B\nrelease 51FC7A9A54A\n");
}

static void test_hold_batch_send_wrong(void **state)
{
    static const struct {
        const char *script[2];
        int code;
    } cases[] = {
        {{""}, OUTRIDER_ERROR_UNAVAILABLE},
        {{"51FC7A9A54A done\n"}, OUTRIDER_ERROR_UNAVAILABLE},
        {{"51FC7A9A54A done\n51FC7A9A54B done\n"}, OUTRIDER_ERROR_UNAVAILABLE},
        {{"51FC7A9A54A done\n51FC7A9A54B do"}, OUTRIDER_ERROR_UNAVAILABLE},
        {{".\n"}, OUTRIDER_ERROR_CORRUPT},
        {{"51FC7A9A54A done\n.\n"}, OUTRIDER_ERROR_CORRUPT},
        {{"51FC7A9A54B done\n51FC7A9A54A done\n.\n"}, OUTRIDER_ERROR_CORRUPT},
        {{"51FC7A9A54A done\n51FC7A9A54B done\n51FC7A9A54B done\n.\n"}, OUTRIDER_ERROR_CORRUPT},
        {{"51FC7A9A54A perhaps\n51FC7A9A54B done\n.\n"}, OUTRIDER_ERROR_CORRUPT},
        {{"\n\n\n"}, OUTRIDER_ERROR_CORRUPT},
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) told = g_string_new(NULL);
        g_autoptr(GError) error = NULL;
        GThread *thread = g_thread_new("queue", play, (gpointer)(guintptr)cases[i].script);
        HoldBatch *batch = hold_batch_new(config, QUEUE_DELETE);
        add_two(batch);
        assert_false(hold_batch_send(batch, note, told, &error));
        if (!g_error_matches(error, OUTRIDER_ERROR, cases[i].code))
            fail_msg("case %zu: %s", i, error->message);
        assert_non_null(strstr(error->message, "outrider-queue"));
        assert_string_equal(told->str, "");
        hold_batch_free(batch);
        g_free(g_thread_join(thread));
    }
}

static int start(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    g_autoptr(GError) error = NULL;

    (void)state;
    dir = g_dir_make_tmp("outrider-ask-XXXXXX", NULL);
    g_autofree char *text =
        g_strdup_printf("return_path_domain = rp.example\nsocket_dir = %s\n", dir);
    config = config_parse("test", text, -1, &error);
    assert_no_error(error);
    g_snprintf(address.sun_path, sizeof address.sun_path, "%s/queue", dir);
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    return listen(listener, ANSWER_MAX);
}

static int stop(void **state)
{
    g_autofree char *path = g_strconcat(dir, "/queue", NULL);

    (void)state;
    close(listener);
    unlink(path);
    rmdir(dir);
    g_free(dir);
    config_free(config);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hold_decide),
        cmocka_unit_test(test_hold_batch_add_full),
        cmocka_unit_test(test_hold_batch_send),
        cmocka_unit_test(test_hold_batch_send_later_stays),
        cmocka_unit_test(test_hold_batch_send_wrong),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
