/* SPDX-License-Identifier: MIT */
#include "lib/httpd/listen_at.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include "lib/base/error.h"
#include "tests/lib/testing.h"

static void test_listen_at_read_good(void **state)
{
    g_autoptr(GArray) places =
        listen_at_read("http://127.0.0.1:80,https://[::]:443/  unix:/run/a b", NULL);
    (void)state;
    assert_null(places); /* "b" */
    g_autoptr(GArray) good =
        listen_at_read(" http://127.0.0.1:80,https://[::1]:65535/  unix:/run/a,", NULL);
    assert_int_equal(good->len, 3);
    const ListenAt *at = (const ListenAt *)(void *)good->data;
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)&at[0].address;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)&at[1].address;
    const struct sockaddr_un *path = (const struct sockaddr_un *)(const void *)&at[2].address;
    assert_false(at[0].tls);
    assert_int_equal(v4->sin_family, AF_INET);
    assert_int_equal(ntohs(v4->sin_port), 80);
    assert_int_equal(ntohl(v4->sin_addr.s_addr), INADDR_LOOPBACK);
    assert_true(at[1].tls);
    assert_int_equal(v6->sin6_family, AF_INET6);
    assert_int_equal(ntohs(v6->sin6_port), 65535);
    assert_memory_equal(&v6->sin6_addr, &in6addr_loopback, 16);
    assert_false(at[2].tls);
    assert_string_equal(path->sun_path, "/run/a");
    assert_string_equal(at[1].text, "https://[::1]:65535/");
}

static void test_listen_at_read_bad(void **state)
{
    g_autofree char *long_path = g_strnfill(200, 'a');
    g_autofree char *path = g_strconcat("unix:/", long_path, NULL);
    g_autoptr(GString) many = g_string_new(NULL);
    for (guint i = 0; i <= LISTEN_AT_MAX; i++)
        g_string_append_printf(many, "http://127.0.0.1:%u ", 80 + i);
    const char *const cases[] = {
        "",
        " , ",
        "127.0.0.1:80",
        "http://",
        "http://127.0.0.1",
        "http://127.0.0.1:",
        "http://127.0.0.1:0",
        "http://127.0.0.1:65536",
        "http://127.0.0.1:99999999999999999999",
        "http://127.0.0.1:+80",
        "http://127.0.0.1:80x",
        "http://127.0.0.1:80/x",
        "http://localhost:80",
        "http://:80",
        "http://*:80",
        "http://[127.0.0.1]:80",
        "http://::1:80",
        "http://[::1:80",
        "http://[]:80",
        "http://[::1%lo]x:80",
        "ftp://127.0.0.1:21",
        "HTTP://127.0.0.1:80",
        "unix:relative",
        "unix:",
        path,
        many->str,
        "http://127.0.0.1:80;http://127.0.0.1:81",
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        GError *error = NULL;
        GArray *places = listen_at_read(cases[i], &error);
        if (places)
            fail_msg("%s was taken", cases[i]);
        assert_error_code(error, INVALID);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_listen_at_read_good),
        cmocka_unit_test(test_listen_at_read_bad),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
