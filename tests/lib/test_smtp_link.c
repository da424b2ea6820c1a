/* SPDX-License-Identifier: MIT */
/* A server of the test's own says what a script has; what it got is compared octet by octet. */
#include "lib/submission/smtp_link.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "tests/lib/http_client.h"
#include "tests/lib/testing.h"

#define GREETING "220 x ESMTP\r\n"
#define EHLO     "EHLO outrider-inject.invalid\r\n"
#define START    "MAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nRCPT TO:<e@f.test>\r\nDATA\r\n"

/* One connection: after each wait for octets that end so, it says the next. wait NULL: it closes. */
typedef struct {
    const char *say, *wait;
} Step;

typedef struct {
    int listener;
    const Step *steps; /* ends with say NULL; several connections one after the other */
    GString *got;
} Server;

static void serve_one(Server *server, int fd)
{
    char data[4096];

    for (; server->steps->say; server->steps++) {
        assert_int_equal(send(fd, server->steps->say, strlen(server->steps->say), MSG_NOSIGNAL),
                         strlen(server->steps->say));
        if (!server->steps->wait) {
            server->steps++;
            break;
        }
        while (!g_str_has_suffix(server->got->str, server->steps->wait)) {
            gssize n = recv(fd, data, sizeof data, 0);
            if (n <= 0)
                break;
            g_string_append_len(server->got, data, n);
        }
    }
    close(fd);
}

static gpointer serve(gpointer data)
{
    Server *server = data;

    while (server->steps->say)
        serve_one(server, accept(server->listener, NULL, NULL));
    return NULL;
}

/* Sends one message (or as many as n) to a server that follows the steps; returns what it got. */
static GString *run(const Step *steps, guint n, char **queue_id, GError **error)
{
    guint16 port;
    Server server = {http_listen(&port), steps, g_string_new(NULL)};
    assert_int_equal(fcntl(server.listener, F_SETFL, 0), 0); /* it may wait */
    GThread *thread = g_thread_new("server", serve, &server);
    SmtpPool *pool = smtp_pool_new(port);
    g_autoptr(GPtrArray) rcpts = g_ptr_array_new();
    GString *head = g_string_new("A: b\r\n\r\n"), *body = g_string_new(".\r\n..x\r\ny\r\n");
    char first[] = "c@d.test", second[] = "e@f.test";

    g_ptr_array_add(rcpts, first);
    g_ptr_array_add(rcpts, second);
    const SmtpMail mail = {"a@b.test", rcpts, head, body};
    for (guint i = 0; i < n; i++) {
        g_free(*queue_id);
        *queue_id = smtp_pool_send(pool, &mail, error);
    }
    smtp_pool_free(pool);
    g_thread_join(thread);
    close(server.listener);
    g_string_free(head, TRUE);
    g_string_free(body, TRUE);
    return server.got;
}

static void test_smtp_pool_send_good(void **state)
{
    (void)state;
    static const Step steps[] = {{GREETING, EHLO},
                                 {"250-x\r\n250 PIPELINING\r\n", "DATA\r\n"},
                                 {"250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n", "\r\n.\r\n"},
                                 {"250 2.0.0 Ok: queued as 4dKf2x\r\n", "DATA\r\n"},
                                 {"250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n", "\r\n.\r\n"},
                                 {"250 2.0.0 Ok: queued as 4dKf2y\r\n", NULL},
                                 {0}};
    g_autofree char *queue_id = NULL;
    GError *error = NULL;
    GString *got = run(steps, 2, &queue_id, &error);

    assert_no_error(error);
    assert_string_equal(queue_id, "4dKf2y");
    assert_string_equal(got->str, EHLO START "A: b\r\n\r\n..\r\n...x\r\ny\r\n.\r\n" START
                                             "A: b\r\n\r\n..\r\n...x\r\ny\r\n.\r\n");
    g_string_free(got, TRUE);
}

/* A link that was kept and closed meanwhile costs nothing. */
static void test_smtp_pool_send_link_closed(void **state)
{
    (void)state;
    static const Step steps[] = {{GREETING, EHLO},
                                 {"250 x\r\n", "DATA\r\n"},
                                 {"250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n", "\r\n.\r\n"},
                                 {"250 queued as A\r\n", NULL},
                                 {GREETING, EHLO},
                                 {"250 x\r\n", "DATA\r\n"},
                                 {"250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n", "\r\n.\r\n"},
                                 {"250 queued as B\r\n", NULL},
                                 {0}};
    g_autofree char *queue_id = NULL;
    GError *error = NULL;
    GString *got = run(steps, 2, &queue_id, &error);

    assert_no_error(error);
    assert_string_equal(queue_id, "B");
    g_string_free(got, TRUE);
}

static void test_smtp_pool_send_bad(void **state)
{
    (void)state;
#define UP_TO_DATA                                                                                 \
    {GREETING, EHLO},                                                                              \
    {                                                                                              \
        "250 x\r\n", "DATA\r\n"                                                                    \
    }
    static const struct {
        Step steps[6];
        int code;
    } cases[] = {
        {{{"421 busy\r\n", NULL}}, OUTRIDER_ERROR_UNAVAILABLE},
        {{{"", NULL}}, OUTRIDER_ERROR_UNAVAILABLE},
        {{{"hello\r\n", NULL}}, OUTRIDER_ERROR_INVALID},
        {{{GREETING, EHLO}, {"550 no\r\n", NULL}}, OUTRIDER_ERROR_REFUSED},
        {{UP_TO_DATA, {"451 no\r\n", NULL}}, OUTRIDER_ERROR_UNAVAILABLE},
        {{UP_TO_DATA, {"250 ok\r\n550 no\r\n250 ok\r\n354 go\r\n", NULL}}, OUTRIDER_ERROR_REFUSED},
        {{UP_TO_DATA, {"250 ok\r\n250 ok\r\n452 no\r\n354 go\r\n", NULL}},
         OUTRIDER_ERROR_UNAVAILABLE},
        {{UP_TO_DATA, {"250 ok\r\n250 ok\r\n250 ok\r\n554 no\r\n", NULL}}, OUTRIDER_ERROR_REFUSED},
        {{UP_TO_DATA,
          {"250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n", "\r\n.\r\n"},
          {"451 later\r\n", NULL}},
         OUTRIDER_ERROR_UNAVAILABLE},
        {{UP_TO_DATA,
          {"250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n", "\r\n.\r\n"},
          {"553 no\r\n", NULL}},
         OUTRIDER_ERROR_REFUSED},
        {{UP_TO_DATA, {"250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n", "\r\n.\r\n"}, {"", NULL}},
         OUTRIDER_ERROR_UNKNOWN_RESULT},
        {{UP_TO_DATA, {"250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n", "\r\n.\r\n"}, {"25", NULL}},
         OUTRIDER_ERROR_UNKNOWN_RESULT},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *queue_id = NULL;
        GError *error = NULL;
        GString *got = run(cases[i].steps, 1, &queue_id, &error);
        if (queue_id || !error || error->code != cases[i].code)
            fail_msg("case %u: %s", i, error ? error->message : queue_id);
        assert_false(g_str_has_suffix(got->str, "DATA\r\n.\r\n"));
        g_clear_error(&error);
        g_string_free(got, TRUE);
    }
}

static void test_smtp_pool_send_nobody_listens(void **state)
{
    (void)state;
    guint16 port;
    int fd = http_listen(&port);
    g_autoptr(GPtrArray) rcpts = g_ptr_array_new();
    GString *text = g_string_new("\r\n");
    const SmtpMail mail = {"", rcpts, text, text};
    GError *error = NULL;

    close(fd);
    SmtpPool *pool = smtp_pool_new(port);
    assert_null(smtp_pool_send(pool, &mail, &error));
    assert_error_code(error, UNAVAILABLE);
    smtp_pool_free(pool);
    g_string_free(text, TRUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_smtp_pool_send_good),
        cmocka_unit_test(test_smtp_pool_send_link_closed),
        cmocka_unit_test(test_smtp_pool_send_bad),
        cmocka_unit_test(test_smtp_pool_send_nobody_listens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
