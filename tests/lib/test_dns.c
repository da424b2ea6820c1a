/* SPDX-License-Identifier: MIT */
/* Against Knot in a network namespace of the test's own; skipped (77) without root or without Knot. */
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/dns/zone.h"
#include "tests/lib/testing.h"

static const char zone_text[] =
    ". 5 SOA ns.test. root.test. 1 3600 600 86400 5\n"
    ". 5 NS ns.test.\n"
    "ns.test. 5 A 127.0.0.1\n"
    "acme.test. 5 NS ns1.acme.test.\nns1.acme.test. 5 A 127.0.0.1\n"
    "lame.test. 5 NS nowhere.test.\n"
    "both.test. 5 A 192.0.2.7\nboth.test. 5 A 192.0.2.8\nboth.test. 5 AAAA 2001:db8::7\n"
    "alias.test. 5 CNAME both.test.\n"
    "mx.test. 5 MX 20 b.test.\nmx.test. 5 MX 10 A.test.\n"
    "txt.test. 5 TXT \"v=DKIM1; p=\" \"AAAA\"\n"
    "7.2.0.192.in-addr.arpa. 5 PTR both.test.\n";

static const char acme_text[] =
    "acme.test. 5 SOA ns1.acme.test. root.test. 1 3600 600 86400 5\n"
    "acme.test. 5 NS ns1.acme.test.\nacme.test. 5 NS ns2.acme.test.\n"
    "ns1.acme.test. 5 A 127.0.0.1\nns2.acme.test. 5 A 127.0.0.9\n" /* nobody there */
    "s1._domainkey.acme.test. 5 TXT \"v=DKIM1\"\n";

static const char lame_text[] = "lame.test. 5 SOA a.test. b.test. 1 3600 600 86400 5\n"
                                "lame.test. 5 NS nowhere.test.\n";

static char *directory;
static GPid server;

static void write_file(const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(directory, name, NULL);

    assert_true(g_file_set_contents(path, text, -1, NULL));
}

static char *file(const char *name)
{
    return g_build_filename(directory, name, NULL);
}

static void bring_loopback_up(void)
{
    struct ifreq request = {.ifr_flags = IFF_UP};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    g_strlcpy(request.ifr_name, "lo", sizeof request.ifr_name);
    assert_true(fd >= 0);
    assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
    close(fd);
}

static gboolean start_server(void)
{
    g_autofree char *path = file("knot.conf");
    char program[] = "knotd", option[] = "-c";
    char *argv[] = {program, option, path, NULL};
    g_autofree char *text = g_strdup_printf(
        "server:\n    rundir: %s\n    listen: [ 127.0.0.1@53 ]\n    udp-workers: 1\n"
        "    tcp-workers: 1\n    background-workers: 1\n"
        "database:\n    storage: %s\n"
        "log:\n  - target: stderr\n    any: error\n"
        "zone:\n  - domain: .\n    storage: %s\n    file: root.zone\n    semantic-checks: off\n"
        "  - domain: acme.test\n    storage: %s\n    file: acme.zone\n    semantic-checks: off\n"
        "  - domain: lame.test\n    storage: %s\n    file: lame.zone\n    semantic-checks: off\n",
        directory, directory, directory, directory, directory);

    write_file("root.zone", zone_text);
    write_file("acme.zone", acme_text);
    write_file("lame.zone", lame_text);
    write_file("knot.conf", text);
    write_file("resolv.conf", "nameserver 127.0.0.1\n");
    return g_spawn_async(directory, argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD,
                         NULL, NULL, &server, NULL);
}

static int setup(void **state)
{
    (void)state;
    directory = g_dir_make_tmp("outrider-dns-XXXXXX", NULL);
    if (unshare(CLONE_NEWNET) < 0)
        return -1;
    bring_loopback_up();
    if (!start_server())
        return -1;
    for (guint i = 0; i < 300; i++) {
        g_autoptr(Dns) dns = dns_open_server("127.0.0.1", NULL);
        g_autoptr(GPtrArray) records = dns_lookup(dns, ".", DNS_NS, NULL);
        if (records)
            return 0;
        g_usleep(20000);
    }
    return -1;
}

static int teardown(void **state)
{
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", directory);

    (void)state;
    kill(server, SIGTERM);
    waitpid(server, NULL, 0);
    g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL);
    g_free(directory);
    return 0;
}

static Dns *open_resolver(void)
{
    g_autofree char *path = file("resolv.conf");
    Dns *dns = dns_open(path, NULL);

    assert_non_null(dns);
    return dns;
}

static int compare(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void test_dns_lookup_cases(void **state)
{
    static const struct {
        const char *name;
        DnsType type;
        const char *wanted; /* sorted; NULL: none */
    } cases[] = {
        {"both.test", DNS_A, "192.0.2.7,192.0.2.8"},
        {"BOTH.test.", DNS_AAAA, "2001:db8::7"},
        {"alias.test", DNS_A, "192.0.2.7,192.0.2.8"},
        {"alias.test", DNS_CNAME, "both.test"},
        {"mx.test", DNS_MX, "10 a.test,20 b.test"},
        {"txt.test", DNS_TXT, "v=DKIM1; p=AAAA"},
        {"7.2.0.192.in-addr.arpa", DNS_PTR, "both.test"},
        {".", DNS_NS, "ns.test"},
        {"both.test", DNS_TXT, NULL},
        {"nothing.test", DNS_A, NULL},
    };
    g_autoptr(Dns) dns = open_resolver();

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) records = dns_lookup(dns, cases[i].name, cases[i].type, &error);
        if (!cases[i].wanted) {
            assert_null(records);
            assert_true(g_error_matches(error, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND));
            continue;
        }
        if (!records)
            fail_msg("%s: %s", cases[i].name, error->message);
        g_ptr_array_sort(records, compare);
        g_ptr_array_add(records, NULL);
        g_autofree char *all = g_strjoinv(",", (char **)records->pdata);
        assert_string_equal(all, cases[i].wanted);
    }
}

static void note_progress(guint ended, guint n, gpointer data)
{
    guint *seen = data;

    assert_true(ended >= *seen && ended <= n);
    *seen = ended;
}

/* More than are on their way at once, good and bad ones mixed. */
static void test_dns_ask_all_many(void **state)
{
    static const struct {
        const char *name;
        DnsType type;
        guint records;
        OutriderError error;
    } kinds[] = {
        {"both.test", DNS_A, 2, 0},
        {"7.2.0.192.in-addr.arpa", DNS_PTR, 1, 0},
        {"nothing.test", DNS_A, 0, OUTRIDER_ERROR_NOT_FOUND},
        {"two words.test", DNS_A, 0, OUTRIDER_ERROR_INVALID},
        {"both.test", DNS_TXT, 0, OUTRIDER_ERROR_NOT_FOUND},
    };
    g_autoptr(Dns) dns = open_resolver();
    g_autoptr(GPtrArray) questions =
        g_ptr_array_new_with_free_func((GDestroyNotify)dns_question_free);
    guint seen = 0;

    (void)state;
    for (guint i = 0; i < 5 * DNS_AT_ONCE; i++) {
        guint kind = i % G_N_ELEMENTS(kinds);
        g_ptr_array_add(questions, dns_question_new(kinds[kind].name, kinds[kind].type));
    }
    dns_ask_all(dns, (DnsQuestion *const *)questions->pdata, questions->len, note_progress, &seen);
    assert_int_equal(seen, questions->len);
    for (guint i = 0; i < questions->len; i++) {
        guint kind = i % G_N_ELEMENTS(kinds);
        const DnsQuestion *question = questions->pdata[i];
        if (kinds[kind].records)
            assert_int_equal(question->records ? question->records->len : 0, kinds[kind].records);
        else
            assert_true(!question->records &&
                        g_error_matches(question->error, OUTRIDER_ERROR, (int)kinds[kind].error));
    }
    dns_ask_all(dns, NULL, 0, NULL, NULL);
}

static void test_dns_ask_all_nobody_answers(void **state)
{
    g_autoptr(Dns) dns = dns_open_server("127.0.0.9", NULL);
    DnsQuestion *questions[] = {dns_question_new("both.test", DNS_A), dns_question_new("", DNS_A),
                                dns_question_new("both.test", DNS_AAAA)};

    (void)state;
    dns_ask_all(dns, questions, 3, NULL, NULL);
    for (guint i = 0; i < 3; i++) {
        assert_null(questions[i]->records);
        assert_true(g_error_matches(questions[i]->error, OUTRIDER_ERROR,
                                    i == 1 ? OUTRIDER_ERROR_INVALID : OUTRIDER_ERROR_UNAVAILABLE));
        dns_question_free(questions[i]);
    }
}

static void test_dns_lookup_bad_names(void **state)
{
    g_autofree char *longest = g_strnfill(255, 'a');
    const char *const names[] = {"", "two words.test", "m\xc3\xbcller.test", longest};
    g_autoptr(Dns) dns = open_resolver();

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GError) error = NULL;
        assert_null(dns_lookup(dns, names[i], DNS_A, &error));
        assert_true(g_error_matches(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID));
    }
    /* What the library refuses itself. */
    g_autoptr(GError) error = NULL;
    assert_null(dns_lookup(dns, "a..b.test", DNS_A, &error));
    assert_non_null(error);
}

static void test_dns_lookup_nobody_answers(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Dns) dns = dns_open_server("127.0.0.9", NULL);

    (void)state;
    assert_null(dns_lookup(dns, "both.test", DNS_A, &error));
    assert_true(g_error_matches(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE));
    g_clear_error(&error);
    assert_null(dns_open("/nonexistent", &error));
    assert_true(g_error_matches(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE));
    g_clear_error(&error);
    assert_null(dns_open_server("mail.test", &error));
    assert_non_null(error);
}

typedef struct {
    guint showing, silent;
} Count;

static gboolean count(const char *address, const GPtrArray *records, const GError *why,
                      gpointer data)
{
    Count *counted = data;

    assert_non_null(address);
    assert_true((records != NULL) != (why != NULL));
    counted->showing += records != NULL;
    counted->silent += records == NULL;
    return TRUE;
}

static void test_zone_ask_all_cases(void **state)
{
    static const struct {
        const char *name;
        DnsType type;
        Count wanted;
    } cases[] = {{"txt.test", DNS_TXT, {1, 0}},
                 {"s1._domainkey.nothing.test", DNS_TXT, {0, 1}},
                 {"s1._domainkey.acme.test", DNS_TXT, {1, 1}}};
    g_autoptr(Dns) dns = open_resolver();

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        Count counted = {0, 0};
        g_autoptr(GError) error = NULL;
        if (!zone_ask_all(dns, cases[i].name, cases[i].type, count, &counted, &error))
            fail_msg("%s: %s", cases[i].name, error->message);
        assert_int_equal(counted.showing, cases[i].wanted.showing);
        assert_int_equal(counted.silent, cases[i].wanted.silent);
    }
    g_autoptr(GError) error = NULL;
    assert_null(zone_servers(dns, "www.lame.test", &error));
    assert_true(g_error_matches(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dns_lookup_cases),
        cmocka_unit_test(test_dns_ask_all_many),
        cmocka_unit_test(test_dns_ask_all_nobody_answers),
        cmocka_unit_test(test_dns_lookup_bad_names),
        cmocka_unit_test(test_dns_lookup_nobody_answers),
        cmocka_unit_test(test_zone_ask_all_cases),
    };
    g_autofree char *knot = g_find_program_in_path("knotd");
    if (geteuid() != 0 || !knot)
        return 77;
    return cmocka_run_group_tests(tests, setup, teardown);
}
