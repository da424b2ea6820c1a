/* SPDX-License-Identifier: MIT */
/* The tables of incoming mail: their text, what Postfix finds in them, and when they are written. */
#include "worker/incoming.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>

#include "lib/base/error.h"
#include "tests/lib/testing.h"

#define MANY 3000

static GPtrArray *names_of(const char *text)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(g_free);
    g_auto(GStrv) words = g_strsplit(text, " ", -1);

    for (guint i = 0; words[i]; i++)
        if (*words[i])
            g_ptr_array_add(list, g_strdup(words[i]));
    return list;
}

static IncomingNames some(GPtrArray *domains, GPtrArray *returns, const char *forward)
{
    return (IncomingNames){.domains = domains,
                           .return_domains = returns,
                           .return_path_domain = "rp.example",
                           .return_path_label = "psrp",
                           .route_domain = forward,
                           .hop_port = 10026};
}

#define HEAD(what)                                                                                 \
    "# Written by outrider-worker: " what ". Do not edit; change the routes with outrider(1)\n"    \
    "# instead.\n"

static void test_incoming_render(void **state)
{
    g_autoptr(GPtrArray) domains = names_of("acme.test xn--bcher-kva.test");
    g_autoptr(GPtrArray) returns = names_of("acme.test");
    const IncomingNames names = some(domains, returns, "in.test");
    g_autofree char *gate = incoming_domains(&names);
    g_autofree char *recipients = incoming_recipients(&names);
    g_autofree char *others = incoming_others(&names);
    g_autofree char *transports = incoming_transports(&names);

    (void)state;
    assert_string_equal(
        gate,
        HEAD("domains that policyd is asked about") "/^((rp\\.example|psrp\\.[a-z0-9.-]+))$/ $1\n"
                                                    "/^(acme\\.test)$/ $1\n/^(in\\.test)$/ "
                                                    "$1\n/^(xn--bcher-kva\\.test)$/ $1\n");
    assert_string_equal(
        recipients,
        HEAD("recipients that policyd is asked about") "/^([a-z2-7]{31}-[0-9]{1,5}@(rp\\.example|"
                                                       "psrp\\.[a-z0-9.-]+))$/ $1\n"
                                                       "/^(.+@acme\\.test)$/ "
                                                       "$1\n/^(.+@in\\.test)$/ $1\n"
                                                       "/^(.+@xn--bcher-kva\\.test)$/ $1\n");
    assert_string_equal(
        others,
        HEAD("recipients that are not ours, which pass") "if "
                                                         "!/@(rp\\.example|psrp\\.[a-z0-9.-]+)$/\n"
                                                         "if "
                                                         "!/"
                                                         "[@.](acme\\.test|in\\.test|xn--bcher-"
                                                         "kva\\.test)$/\n"
                                                         "/./ OK\nendif\nendif\n");
    assert_string_equal(
        transports,
        HEAD("the way of what comes in, to the hop") "/^[a-z2-7]{31}-[0-9]{1,5}@rp\\.example$/ "
                                                     "outrider-split:[127.0.0.1]:10026\n"
                                                     "/^[0-9]+\\.[0-9]+@endpoint\\.outrider\\."
                                                     "invalid$/ outrider-split:[127.0.0.1]:10026\n"
                                                     "/@acme\\.test$/ "
                                                     "outrider-split:[127.0.0.1]:10026\n"
                                                     "/@in\\.test$/ "
                                                     "outrider-split:[127.0.0.1]:10026\n"
                                                     "/@xn--bcher-kva\\.test$/ "
                                                     "outrider-split:[127.0.0.1]:10026\n"
                                                     "/^[a-z2-7]{31}-[0-9]{1,5}@psrp\\.acme\\.test$"
                                                     "/ outrider-split:[127.0.0.1]:10026\n");
}

static void test_incoming_render_forward_domain_has_routes(void **state)
{
    g_autoptr(GPtrArray) domains = names_of("a.test b.test c.test");
    g_autoptr(GPtrArray) none = names_of("");
    static const char *const forward[] = {"a.test", "b.test", "c.test"};

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(forward); i++) {
        const IncomingNames names = some(domains, none, forward[i]);
        const IncomingNames without = some(domains, none, "");
        g_autofree char *text = incoming_domains(&names);
        g_autofree char *plain = incoming_domains(&without);
        assert_string_equal(text, plain);
    }
}

typedef struct {
    char *dir;
} World;

static int setup(void **state)
{
    World *world = g_new0(World, 1);
    g_autofree char *main = NULL;

    world->dir = g_dir_make_tmp("outrider-incoming-XXXXXX", NULL);
    main = g_build_filename(world->dir, "main.cf", NULL);
    assert_true(g_file_set_contents(main, "compatibility_level = 3.6\n", -1, NULL));
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    World *world = *state;
    g_autoptr(GDir) dir = g_dir_open(world->dir, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(world->dir, name, NULL);
        g_unlink(path);
    }
    g_rmdir(world->dir);
    g_free(world->dir);
    g_free(world);
    return 0;
}

/* What Postfix finds for a key; NULL: nothing, and no word on standard error. */
static char *find(const World *world, const char *table, const char *key)
{
    g_autofree char *map = g_strdup_printf("regexp:%s/%s", world->dir, table);
    const char *argv[] = {"postmap", "-c", world->dir, "-q", key, map, NULL};
    g_autofree char *out = NULL;
    g_autofree char *said = NULL;
    int status;

    if (!g_spawn_sync(NULL, (char **)(gpointer)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out,
                      &said, &status, NULL))
        fail_msg("postmap(1) cannot be run");
    assert_string_equal(said, "");
    return *out ? g_strdup(g_strchomp(out)) : NULL;
}

static void put(const World *world, const char *table, const char *text)
{
    g_autofree char *path = g_build_filename(world->dir, table, NULL);

    assert_true(g_file_set_contents(path, text, -1, NULL));
}

#define SEALED "abcdefghijklmnopqrstuvwxyz23456-7"
#define HOP    "outrider-split:[127.0.0.1]:10026"

static int compare(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* With so many domains that they are in groups. */
static void test_incoming_found_by_postfix(void **state)
{
    const World *world = *state;
    static const struct {
        const char *table, *key, *found;
    } cases[] = {
        {"d", "acme.test", "acme.test"},
        {"d", "ACME.test", "acme.test"},
        {"d", "d77.many.example", "d77.many.example"},
        {"d", "d2999.many.example", "d2999.many.example"},
        {"d", "rp.example", "rp.example"},
        {"d", "psrp.some.example", "psrp.some.example"},
        {"d", "sub.acme.test", NULL},
        {"d", "xacme.test", NULL},
        {"d", "acmextest", NULL},
        {"d", "acme.test.evil", NULL},
        {"d", "d3000.many.example", NULL},
        {"d", "psrp", NULL},
        {"d", "*", NULL},
        {"r", "info@acme.test", "info@acme.test"},
        {"r", "a@b@acme.test", "a@b@acme.test"},
        {"r", "x+y@d1234.many.example", "x+y@d1234.many.example"},
        {"r", SEALED "@rp.example", SEALED "@rp.example"},
        {"r", SEALED "@psrp.x.example", SEALED "@psrp.x.example"},
        {"r", "junk@rp.example", NULL},
        {"r", "junk@psrp.x.example", NULL},
        {"r", "@acme.test", NULL},
        {"r", "acme.test", NULL},
        {"r", "info@sub.acme.test", NULL},
        {"r", "info@acme.test.evil", NULL},
        {"r", "*", NULL},
        {"o", "info@elsewhere.example", "OK"},
        {"o", "info@xacme.test", "OK"},
        {"o", "info@acme.test", NULL},
        {"o", "INFO@ACME.TEST", NULL},
        {"o", "info@sub.acme.test", NULL},
        {"o", "x@d0.many.example", NULL},
        {"o", "x@d2999.many.example", NULL},
        {"o", "x@rp.example", NULL},
        {"o", "x@psrp.any.example", NULL},
        {"t", "info@acme.test", HOP},
        {"t", "info@D1999.many.example", HOP},
        {"t", SEALED "@rp.example", HOP},
        {"t", SEALED "@psrp.d5.many.example", HOP},
        {"t", SEALED "@psrp.stranger.example", NULL},
        {"t", "junk@psrp.d5.many.example", NULL},
        {"t", "junk@rp.example", NULL},
        {"t", "info@sub.acme.test", NULL},
        {"t", "acme.test", NULL},
        {"t", "*", NULL},
    };
    g_autoptr(GPtrArray) domains = names_of("acme.test");

    for (guint i = 0; i < MANY; i++)
        g_ptr_array_add(domains, g_strdup_printf("d%u.many.example", i));
    g_ptr_array_sort(domains, compare);
    const IncomingNames names = some(domains, domains, "");
    g_autofree char *gate = incoming_domains(&names);
    g_autofree char *recipients = incoming_recipients(&names);
    g_autofree char *others = incoming_others(&names);
    g_autofree char *transports = incoming_transports(&names);
    put(world, "d", gate);
    put(world, "r", recipients);
    put(world, "o", others);
    put(world, "t", transports);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *found = find(world, cases[i].table, cases[i].key);
        if (g_strcmp0(found, cases[i].found) != 0 &&
            (!found || !cases[i].found || g_ascii_strcasecmp(found, cases[i].found) != 0))
            fail_msg("%s %s: %s", cases[i].table, cases[i].key, found);
    }
}

static void age(const World *world, gint64 when)
{
    g_autofree char *path = g_build_filename(world->dir, "transports.regexp", NULL);
    const struct timeval times[2] = {{.tv_sec = when}, {.tv_sec = when}};

    assert_int_equal(utimes(path, times), 0);
}

static gboolean has(const World *world, const char *table, const char *text)
{
    g_autofree char *path = g_build_filename(world->dir, table, NULL);
    g_autofree char *found = NULL;

    return g_file_get_contents(path, &found, NULL, NULL) && strstr(found, text);
}

/* The way first, and what is taken in once Postfix knows it. */
static void test_incoming_write_order(void **state)
{
    const World *world = *state;
    const gint64 now = g_get_real_time() / G_USEC_PER_SEC;
    g_autoptr(GPtrArray) one = names_of("one.test");
    g_autoptr(GPtrArray) two = names_of("one.test two.test");
    g_autoptr(GPtrArray) none = names_of("");
    const IncomingNames first = some(one, none, "");
    const IncomingNames second = some(two, none, "");
    IncomingWritten written;

    assert_true(incoming_write(world->dir, &first, now, &written, NULL));
    assert_true(written.changed && written.pending);
    assert_true(has(world, "transports.regexp", "one"));
    assert_false(has(world, "our-domains.regexp", "one"));

    age(world, now - INCOMING_SETTLE_SECONDS + 1);
    assert_true(incoming_write(world->dir, &first, now, &written, NULL));
    assert_true(!written.changed && written.pending);

    age(world, now - INCOMING_SETTLE_SECONDS);
    assert_true(incoming_write(world->dir, &second, now, &written, NULL)); /* too soon for more */
    assert_true(!written.changed && written.pending);
    assert_false(has(world, "transports.regexp", "two"));
    assert_true(incoming_write(world->dir, &first, now, &written, NULL));
    assert_true(written.changed && !written.pending);
    assert_true(has(world, "our-domains.regexp", "one"));
    assert_true(has(world, "our-recipients.regexp", "one"));
    assert_true(has(world, "other-recipients.regexp", "one"));
    assert_true(incoming_write(world->dir, &first, now, &written, NULL));
    assert_true(!written.changed && !written.pending);

    age(world, now - INCOMING_PAUSE_SECONDS);
    assert_true(incoming_write(world->dir, &second, now, &written, NULL));
    assert_true(written.changed && written.pending);
    assert_true(has(world, "transports.regexp", "two"));
    assert_false(has(world, "our-domains.regexp", "two"));
    age(world, now + 1000); /* the clock was set back */
    assert_true(incoming_write(world->dir, &second, now, &written, NULL));
    assert_true(written.changed && !written.pending);
    assert_true(has(world, "our-domains.regexp", "two"));
}

static void test_incoming_write_no_directory(void **state)
{
    g_autoptr(GPtrArray) none = names_of("");
    const IncomingNames names = some(none, none, "");
    IncomingWritten written;
    GError *error = NULL;

    (void)state;
    assert_false(incoming_write("/nonexistent/outrider", &names, 1795248000, &written, &error));
    assert_error_code(error, IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_incoming_render),
        cmocka_unit_test(test_incoming_render_forward_domain_has_routes),
        cmocka_unit_test_setup_teardown(test_incoming_found_by_postfix, setup, teardown),
        cmocka_unit_test_setup_teardown(test_incoming_write_order, setup, teardown),
        cmocka_unit_test(test_incoming_write_no_directory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
