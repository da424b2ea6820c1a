/* SPDX-License-Identifier: MIT */
/* What the milter makes of a message for tracking, with real replicas and key rings. */
#include "milters/track.h"

#include <glib/gstdio.h>
#include <string.h>

#include "lib/journal/journal.h"
#include "tests/lib/edge_fixture.h"
#include "tests/lib/testing.h"

#define ID     G_GUINT64_CONSTANT(123456789)
#define HTML   "text/html; charset=utf-8"
#define PLAIN  "text/plain; charset=utf-8"
#define LINK   "<p><a href=\"https://shop.test/a?b=1&amp;c=2\">x</a></p></body>"
#define MARKED "<p><a data-notrack href=\"https://shop.test/\">x</a> https+notrack://shop.test/</p>"

static const EdgeFixture fixture = {.key = "abcdefghijklmnopqrstuvwx"};
static EdgeCredential app = {.id = 7, .server = 1, .organization = 1};

typedef struct {
    char *dir;
    char *edge;
    Config *config;
    Shared *shared;
    KeyRing *ring;
} World;

static void make_ring(const World *world, const char *name)
{
    g_autofree char *path = g_build_filename(world->dir, name, NULL);
    g_autofree char *text = ring_generate(1);

    assert_true(g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
}

static void open_shared(World *world)
{
    GError *error = NULL;

    world->shared = shared_open(world->config, &error);
    assert_no_error(error);
}

static int setup_without_ring(void **state)
{
    World *world = g_new0(World, 1);
    GError *error = NULL;

    world->dir = g_dir_make_tmp("outrider-track-XXXXXX", NULL);
    world->edge = g_build_filename(world->dir, "edge", NULL);
    g_mkdir(world->edge, 0700);
    g_autofree char *text =
        g_strdup_printf("return_path_domain = rp.example\nspool_dir = %s\nedge_dir = %s\n"
                        "key_dir = %s\nsocket_dir = %s\nspool_min_free = 0\n",
                        world->dir, world->edge, world->dir, world->dir);
    world->config = config_parse("test", text, -1, &error);
    assert_no_error(error);
    make_ring(world, "return");
    make_ring(world, "claim");
    edge_fixture_fill(world->edge, &fixture);
    edge_fixture_exec(world->edge, EDGE_FILE_DIRECTORY,
                      "INSERT INTO track_domain VALUES"
                      "(1, 1, NULL, 'links.acme.test', 1, 1, 1, 1, '.bank.test,exact.test', 1),"
                      "(2, 1, 20, 'clicks.acme.test', 0, 1, 0, 0, NULL, 1),"
                      "(3, 1, 30, 'off.acme.test', 1, 0, 0, 0, NULL, 1),"
                      "(4, 2, NULL, 'links.other.test', 1, 1, 1, 0, NULL, 1),"
                      "(5, 3, NULL, 'waits.test', 1, 1, 1, 0, NULL, 0)");
    *state = world;
    return 0;
}

static int setup(void **state)
{
    setup_without_ring(state);
    World *world = *state;
    g_autofree char *path = g_build_filename(world->dir, "link", NULL);
    GError *error = NULL;

    make_ring(world, "link");
    world->ring = ring_load(path, &error);
    assert_no_error(error);
    open_shared(world);
    return 0;
}

static void remove_below(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *inner = g_build_filename(path, name, NULL);
        remove_below(inner);
    }
    g_remove(path);
}

static int teardown(void **state)
{
    World *world = *state;

    g_clear_pointer(&world->shared, shared_close);
    g_clear_pointer(&world->ring, ring_free);
    g_clear_pointer(&world->config, config_free);
    remove_below(world->dir);
    g_free(world->edge);
    g_free(world->dir);
    g_free(world);
    return 0;
}

static Message *message_of(const char *type, const char *field, const char *body)
{
    static const MessageLimits limits = {
        .recipients = 1, .header = 65536, .fields = 100, .size = 64 * 1024 * 1024};
    Message *message = message_new("<me@acme.test>", &limits);

    message_add_field(message, "Content-Type", type);
    if (field) {
        g_auto(GStrv) parts = g_strsplit(field, ":", 2);
        message_add_field(message, parts[0], parts[1]);
    }
    message_add_body(message, body, strlen(body));
    return message;
}

/* The token after the first "URL" in a body; g_free. */
static char *token_after(const char *body, const char *url)
{
    const char *at = strstr(body, url);

    assert_non_null(at);
    at += strlen(url);
    return g_strndup(at, strspn(at, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-_"));
}

static void test_track_message_links_open_at_their_host(void **state)
{
    const World *world = *state;
    GError *error = NULL;
    g_autoptr(Message) message = message_of(HTML, NULL, LINK);
    g_auto(Tracked) tracked = {0};

    track_message(message, world->shared, &app, 1, ID, &tracked);
    assert_true(tracked.changed);
    assert_false(tracked.failed);
    assert_null(tracked.note);
    assert_string_equal(tracked.domain->host, "links.acme.test");
    g_autofree char *click = token_after(message->body->str, "https://links.acme.test/c/");
    g_autofree char *pixel = token_after(message->body->str, "https://links.acme.test/o/");
    g_autoptr(Link) link = link_open(world->ring, LINK_CLICK, click, "links.acme.test", &error);
    assert_no_error(error);
    assert_string_equal(link->url, "https://shop.test/a?b=1&c=2");
    assert_int_equal(link->id, ID);
    assert_int_equal(link->server, 1);
    assert_int_equal(link->ordinal, 1);
    g_autoptr(Link) open = link_open(world->ring, LINK_OPEN, pixel, "links.acme.test", &error);
    assert_no_error(error);
    assert_int_equal(open->id, ID);
    assert_null(link_open(world->ring, LINK_CLICK, click, "links.other.test", &error));
    g_clear_error(&error);
}

static void test_track_message_table(void **state)
{
    const World *world = *state;
    static const struct {
        guint32 server, domain;
        gboolean shadow;
        const char *type, *field, *body;
        const char *has, *lacks; /* of the body */
        const char *note;
    } cases[] = {
        {1, 1, FALSE, HTML, NULL, LINK, "https://links.acme.test/c/", "shop.test", NULL},
        {1, 20, FALSE, HTML, NULL, LINK, "http://clicks.acme.test/c/", "/o/", NULL},
        {1, 20, FALSE, PLAIN, NULL, "see https://shop.test/ now", "https://shop.test/",
         "clicks.acme", NULL},
        {1, 1, FALSE, PLAIN, NULL, "see https://shop.test/ now", "links.acme.test/c/", "shop.test",
         NULL},
        {1, 30, FALSE, HTML, NULL, LINK, "https://shop.test/a", "off.acme", NULL},
        {2, 1, FALSE, HTML, NULL, LINK, "https://links.other.test/c/", "links.acme", NULL},
        {3, 1, FALSE, HTML, NULL, LINK, LINK, "waits.test", NULL},
        {4, 1, FALSE, HTML, NULL, LINK, LINK, "acme", NULL},
        {1, 1, FALSE, HTML, NULL, "<a href=\"https://a.bank.test/\">", "//a.bank.test/", "/c/",
         NULL},
        {1, 1, FALSE, HTML, NULL, "<a href=\"https://a.exact.test/\">", "/c/", "exact.test", NULL},
        {1, 1, FALSE, HTML, NULL, "<a href=\"https://exact.test/\">", "//exact.test/", "/c/", NULL},
        /* What the message itself asks for. */
        {1, 1, FALSE, HTML, "X-AMP: skip", LINK, LINK, "acme", "the message asks"},
        {1, 1, FALSE, HTML, "x-outrider-track: none", LINK, LINK, "acme", "the message asks"},
        {1, 1, FALSE, HTML, "X-Outrider-Track: nonsense", LINK, LINK, "acme", "the message asks"},
        {1, 1, FALSE, HTML, "X-Outrider-Track: opens", LINK, "/o/", "/c/", NULL},
        {1, 1, FALSE, HTML, "X-Outrider-Track: clicks", LINK, "/c/", "/o/", NULL},
        {1, 20, FALSE, HTML, "X-Outrider-Track: opens", LINK, LINK, "/o/", "the message asks"},
        {4, 1, FALSE, HTML, "X-Outrider-Track: all", LINK, LINK, "/o/", NULL},
        /* Marks go, tracked or not. */
        {1, 1, FALSE, HTML, NULL, MARKED, "https://shop.test/", "notrack", NULL},
        {4, 1, FALSE, HTML, NULL, MARKED, "https://shop.test/", "notrack", NULL},
        {4, 1, FALSE, PLAIN, NULL, "http+notrack://a.test/", "http://a.test/", "notrack", NULL},
        {1, 1, FALSE, HTML, "X-AMP: skip", MARKED, "https://shop.test/", "notrack",
         "the message asks"},
        {3, 1, FALSE, HTML, NULL, MARKED, "https://shop.test/", "notrack", NULL},
        /* Shadow mode changes nothing at all. */
        {1, 1, TRUE, HTML, NULL, LINK, LINK, "acme", "shadow mode: not tracked: links.acme.test"},
        {1, 1, TRUE, HTML, NULL, MARKED, MARKED, "acme", "shadow mode"},
        {4, 1, TRUE, HTML, NULL, MARKED, MARKED, "acme", NULL},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        EdgeCredential credential = app;
        g_autoptr(Message) message = message_of(cases[i].type, cases[i].field, cases[i].body);
        g_auto(Tracked) tracked = {0};
        credential.server = cases[i].server;
        credential.shadow = cases[i].shadow;
        track_message(message, world->shared, &credential, cases[i].domain, ID, &tracked);
        if (!strstr(message->body->str, cases[i].has) || strstr(message->body->str, cases[i].lacks))
            fail_msg("case %u: %s", i, message->body->str);
        if ((tracked.note != NULL) != (cases[i].note != NULL) ||
            (tracked.note && !strstr(tracked.note, cases[i].note)))
            fail_msg("case %u: %s", i, tracked.note ? tracked.note : "no note");
        assert_int_equal(tracked.changed, strcmp(message->body->str, cases[i].body) != 0);
        assert_false(tracked.failed);
        json_object *json = track_json(&tracked);
        gboolean told = strstr(message->body->str, "/c/") || strstr(message->body->str, "/o/");
        assert_true(!told || json);
        assert_true(!cases[i].note || !json);
        json_object_put(json);
    }
}

static void test_track_message_without_ring(void **state)
{
    World *world = *state;
    g_autoptr(Message) message = message_of(HTML, NULL, LINK MARKED);
    g_auto(Tracked) tracked = {0};

    open_shared(world);
    track_message(message, world->shared, &app, 1, ID, &tracked);
    assert_true(tracked.failed);
    assert_non_null(strstr(tracked.note, "no token could be made"));
    assert_non_null(strstr(message->body->str, LINK));
    assert_null(strstr(message->body->str, "notrack"));
    assert_null(strstr(message->body->str, "links.acme.test"));
    json_object *json = track_json(&tracked);
    assert_non_null(strstr(json_object_to_json_string(json), "\"token\""));
    json_object_put(json);

    /* A ring that comes later is taken up, and one that is gone does not end anything. */
    make_ring(world, "link");
    for (guint i = 0; i < 2; i++) {
        g_autoptr(Message) next = message_of(HTML, NULL, LINK);
        g_auto(Tracked) again = {0};
        assert_true(shared_reload(world->shared, NULL));
        track_message(next, world->shared, &app, 1, ID, &again);
        assert_non_null(strstr(next->body->str, "https://links.acme.test/c/"));
        g_autofree char *path = g_build_filename(world->dir, "link", NULL);
        g_remove(path);
    }
}

static void test_track_message_without_replica(void **state)
{
    World *world = *state;
    g_autoptr(Message) message = message_of(HTML, NULL, LINK MARKED);
    g_auto(Tracked) tracked = {0};

    edge_fixture_remove(world->edge);
    track_message(message, world->shared, &app, 1, ID, &tracked);
    assert_true(tracked.failed);
    assert_non_null(strstr(message->body->str, LINK));
    assert_null(strstr(message->body->str, "notrack"));
    assert_null(track_json(&tracked));
}

/* Beyond the limits it leaves without any link of ours, and the reason is told. */
static void test_track_message_over_limits(void **state)
{
    const World *world = *state;
    g_autoptr(GString) many = g_string_new(NULL);
    g_autoptr(GString) large = g_string_new(LINK);

    for (guint i = 0; i <= TRACKING_LINKS_MAX; i++)
        g_string_append_printf(many, "<a href=\"http://a.test/%u\">\r\n", i);
    for (guint i = 0; i <= TRACKING_TEXT_MAX / 60; i++)
        g_string_append(large, "0123456789012345678901234567890123456789012345678901234567890\r\n");
    const struct {
        const char *body, *reason;
    } cases[] = {{many->str, "\"links\": 1"}, {large->str, "\"size\": 1"}};

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Message) message = message_of(HTML, NULL, cases[i].body);
        g_auto(Tracked) tracked = {0};
        track_message(message, world->shared, &app, 1, ID, &tracked);
        assert_false(tracked.changed);
        assert_true(tracked.failed);
        assert_non_null(tracked.note);
        assert_string_equal(message->body->str, cases[i].body);
        json_object *json = track_json(&tracked);
        assert_non_null(strstr(json_object_to_json_string(json), cases[i].reason));
        json_object_put(json);
    }
}

/* All links are made, history is told of those that a record holds. */
static void test_track_json_is_bounded(void **state)
{
    const World *world = *state;
    g_autoptr(GString) body = g_string_new(NULL);
    g_autofree char *quotes = g_strnfill(600, '\'');
    json_object *found;

    for (guint i = 0; i < TRACKING_LINKS_MAX; i++)
        g_string_append_printf(body, "<a href=\"http://a.test/?%u&quot;%s\">\r\n", i, quotes);
    g_autoptr(Message) message = message_of(HTML, NULL, body->str);
    g_auto(Tracked) tracked = {0};
    track_message(message, world->shared, &app, 1, ID, &tracked);
    assert_int_equal(tracked.result.links->len, TRACKING_LINKS_MAX);
    json_object *json = track_json(&tracked);
    assert_true(json_object_object_get_ex(json, "links", &found));
    guint told = (guint)json_object_array_length(found);
    assert_in_range(told, 100, TRACKING_LINKS_MAX - 1);
    assert_true(json_object_object_get_ex(json, "more", &found));
    assert_int_equal(json_object_get_int(found), TRACKING_LINKS_MAX - told);
    assert_in_range(strlen(json_object_to_json_string_ext(
                        json, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)),
                    TRACK_JSON_MAX / 2, JOURNAL_JSON_MAX / 2 + 1000);
    json_object_put(json);
}

static void test_track_settings_excluded(void **state)
{
    static const struct {
        const char *list;
        guint n;
    } cases[] = {{"", 0}, {"a.test", 1}, {".a.test,b.test", 2}, {"a.test,.b.test,c.test", 3}};

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(EdgeTrack) track = g_new0(EdgeTrack, 1);
        TrackingDomain excluded[TRACK_EXCLUDED_MAX];
        g_autoptr(GString) again = g_string_new(NULL);
        track->excluded = g_strdup(cases[i].list);
        TrackingSettings settings = track_settings(track, excluded);
        assert_int_equal(settings.n_excluded, cases[i].n);
        for (guint j = 0; j < settings.n_excluded; j++)
            g_string_append_printf(again, "%s%s%s", j ? "," : "", excluded[j].below ? "." : "",
                                   excluded[j].domain);
        assert_string_equal(again->str, cases[i].list);
    }
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_track_message_links_open_at_their_host),
        CASE(test_track_message_table),
        cmocka_unit_test_setup_teardown(test_track_message_without_ring, setup_without_ring,
                                        teardown),
        CASE(test_track_message_without_replica),
        CASE(test_track_message_over_limits),
        CASE(test_track_json_is_bounded),
        cmocka_unit_test(test_track_settings_excluded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
