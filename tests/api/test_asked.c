/* SPDX-License-Identifier: MIT */
#include "api/asked.h"

#include <string.h>

#include "tests/lib/testing.h"

#define HOST "t.acme.test"

static KeyRing *ring_of(char digit)
{
    g_autofree char *key = g_strnfill(64, digit);
    g_autofree char *text = g_strdup_printf("0 %s 1 seal\n", key);

    return ring_parse("test", text, NULL);
}

static char *seal(const KeyRing *ring, LinkKind kind, guint32 server, const char *host)
{
    char url[] = "https://acme.test/a?b=c", none[] = "";
    Link link = {.kind = kind,
                 .ordinal = 3,
                 .server = server,
                 .id = 4711,
                 .url = kind == LINK_CLICK ? url : none};

    return link_seal(ring, &link, host);
}

static void test_asked_read(void **state)
{
    g_autofree char *most = g_strnfill(LINK_TOKEN_MAX, 'A');
    g_autofree char *longest = g_strconcat("/c/", most, NULL);
    g_autofree char *longer = g_strconcat("/c/A", most, NULL);
    const struct {
        const char *method, *path;
        AskedKind kind;
        const char *token;
    } cases[] = {
        {"GET", "/", ASKED_HELLO, NULL},
        {"HEAD", "/", ASKED_HELLO, NULL},
        {"GET", "/c/abc", ASKED_CLICK, "abc"},
        {"HEAD", "/c/abc", ASKED_CLICK, "abc"},
        {"GET", "/o/abc", ASKED_OPEN, "abc"},
        {"GET", longest, ASKED_CLICK, most},
        {"GET", longer, ASKED_NOTHING, NULL},
        {"GET", "/c/", ASKED_NOTHING, NULL},
        {"GET", "/o/", ASKED_NOTHING, NULL},
        {"GET", "/c", ASKED_NOTHING, NULL},
        {"GET", "/C/abc", ASKED_NOTHING, NULL},
        {"GET", "/x/abc", ASKED_NOTHING, NULL},
        {"GET", "//c/abc", ASKED_NOTHING, NULL},
        {"GET", "/%63/abc", ASKED_NOTHING, NULL},
        {"GET", "/index.html", ASKED_NOTHING, NULL},
        {"GET", "/robots.txt", ASKED_NOTHING, NULL},
        {"GET", "", ASKED_NOTHING, NULL},
        {"GET", "*", ASKED_NOTHING, NULL},
        {"POST", "/c/abc", ASKED_BY_METHOD, NULL},
        {"OPTIONS", "*", ASKED_BY_METHOD, NULL},
        {"get", "/c/abc", ASKED_BY_METHOD, NULL},
        {"DELETE", "/nothing", ASKED_BY_METHOD, NULL},
        {"", "/", ASKED_BY_METHOD, NULL},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        Asked asked = asked_read(cases[i].method, cases[i].path);
        assert_int_equal(asked.kind, cases[i].kind);
        assert_int_equal(g_strcmp0(asked.token, cases[i].token), 0);
    }
}

static void test_asked_link(void **state)
{
    g_autoptr(KeyRing) ring = ring_of('1'), other = ring_of('2');
    g_autofree char *click = seal(ring, LINK_CLICK, 7, HOST);
    g_autofree char *open = seal(ring, LINK_OPEN, 7, HOST);
    g_autofree char *forged = seal(other, LINK_CLICK, 7, HOST);
    g_autofree char *elsewhere = seal(ring, LINK_CLICK, 7, "t.other.test");
    const struct {
        AskedKind kind;
        const char *token, *host;
        guint32 owner;
        gboolean opens;
    } cases[] = {
        {ASKED_CLICK, click, HOST, 7, TRUE},
        {ASKED_CLICK, click, "T.Acme.TEST", 7, TRUE},
        {ASKED_OPEN, open, HOST, 7, TRUE},
        /* Nobody's host that is known. */
        {ASKED_CLICK, click, HOST, 0, TRUE},
        {ASKED_OPEN, open, HOST, 0, TRUE},
        /* Another server has the host now. */
        {ASKED_CLICK, click, HOST, 8, FALSE},
        {ASKED_OPEN, open, HOST, 8, FALSE},
        {ASKED_OPEN, click, HOST, 7, FALSE},
        {ASKED_CLICK, open, HOST, 7, FALSE},
        {ASKED_CLICK, click, "t.other.test", 7, FALSE},
        {ASKED_CLICK, click, "", 0, FALSE},
        {ASKED_CLICK, elsewhere, HOST, 7, FALSE},
        {ASKED_CLICK, forged, HOST, 7, FALSE},
        {ASKED_CLICK, forged, HOST, 0, FALSE},
        {ASKED_CLICK, "", HOST, 0, FALSE},
        {ASKED_CLICK, "AAAA", HOST, 0, FALSE},
        {ASKED_HELLO, NULL, HOST, 0, FALSE},
        {ASKED_NOTHING, NULL, HOST, 0, FALSE},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        Asked asked = {.kind = cases[i].kind, .token = cases[i].token};
        g_autoptr(Link) link = asked_link(&asked, ring, cases[i].host, cases[i].owner);
        assert_int_equal(link != NULL, cases[i].opens);
        if (link)
            assert_int_equal(link->id, 4711);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_asked_read),
        cmocka_unit_test(test_asked_link),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
