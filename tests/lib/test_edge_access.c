/* SPDX-License-Identifier: MIT */
#include "lib/edge/edge_access.h"

#include <gio/gio.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/edge/edge_schema.h"
#include "tests/lib/edge_fixture.h"
#include "tests/lib/testing.h"

#define KEY   "abcdefghijklmnopqrstuvwx"
#define UNTIL 1795248000

static const guint8 cram_state[EDGE_CRAM_STATE_LENGTH] = {1, 2, 3};

typedef struct {
    char *dir;
    Edge *edge;
    guint networks;
} State;

static int setup(void **state)
{
    const EdgeFixture fixture = {.key = KEY, .cram_state = cram_state};
    State *s = g_new0(State, 1);

    s->dir = g_dir_make_tmp("outrider-edge-XXXXXX", NULL);
    s->edge = edge_open(s->dir);
    edge_fixture_fill(s->dir, &fixture);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    State *s = *state;

    edge_close(s->edge);
    edge_fixture_remove(s->dir);
    g_free(s->dir);
    g_free(s);
    return 0;
}

static void add_network(State *s, guint32 credential, gboolean source, const char *text)
{
    char first[2 * NETWORK_OCTETS + 1] = "", last[2 * NETWORK_OCTETS + 1] = "";
    const char *wrong = NULL;
    Network network;
    g_autofree char *canonical = network_read(text, &network, &wrong);

    if (!canonical)
        fail_msg("%s: %s", text, wrong);
    for (guint i = 0; i < NETWORK_OCTETS; i++) {
        g_snprintf(first + 2 * i, 3, "%02x", network.first[i]);
        g_snprintf(last + 2 * i, 3, "%02x", network.last[i]);
    }
    g_autofree char *sql =
        g_strdup_printf("INSERT OR IGNORE INTO credential VALUES (%u, 1, '%s', 0, NULL, NULL);"
                        "INSERT INTO credential_network VALUES (%u, %u, %d, x'%s', x'%s', %u)",
                        credential, source ? "smtp-ip" : "smtp", ++s->networks, credential, source,
                        first, last, network.length);
    edge_fixture_exec(s->dir, EDGE_FILE_DIRECTORY, sql);
}

static guint32 id_of(State *s, const char *client)
{
    GError *error = NULL;
    g_autoptr(EdgeCredential) credential = edge_credential_by_address(s->edge, client, &error);

    if (credential)
        return credential->id;
    assert_error_code(error, NOT_FOUND);
    return 0;
}

static void test_edge_credential_by_address_longest_wins(void **state)
{
    static const struct {
        const char *client;
        guint32 wanted; /* 0: none */
    } cases[] = {
        {"10.1.2.3", 23},
        {"10.1.2.4", 22},
        {"10.1.3.0", 21},
        {"10.2.0.0", 20},
        {"10.255.255.255", 20},
        {"::ffff:10.1.2.3", 23},
        {"2001:db8:1::1", 25},
        {"2001:db8:1::2", 24},
        {"2001:db8:2::1", 24},
        {"9.255.255.255", 0},
        {"11.0.0.0", 0},
        {"2001:db9::", 0},
        {"2001:db7:ffff::", 0},
        {"::a01:203", 0},
        {"64:ff9b::a01:203", 0},
        {"172.16.0.1", 0},
        {"255.255.255.255", 0},
        {"0.0.0.0", 0},
        {"::", 0},
        {"ffff:ffff::", 0},
        {"10.1.2.3.4", 0},
        {"unknown", 0},
        {"", 0},
        {NULL, 0},
    };
    State *s = *state;

    assert_int_equal(id_of(s, "10.1.2.3"), 0);
    add_network(s, 23, TRUE, "10.1.2.3");
    add_network(s, 20, TRUE, "10.0.0.0/8");
    add_network(s, 22, TRUE, "10.1.2.0/24");
    add_network(s, 21, TRUE, "10.1.0.0/16");
    add_network(s, 24, TRUE, "2001:db8::/32");
    add_network(s, 25, TRUE, "2001:db8:1::1");
    add_network(s, 7, FALSE, "172.16.0.0/12"); /* a limit makes nobody a client */
    add_network(s, 7, FALSE, "10.1.2.3");
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        if (id_of(s, cases[i].client) != cases[i].wanted)
            fail_msg("%s is %u", cases[i].client, id_of(s, cases[i].client));
}

typedef struct {
    guint32 credential; /* 0: is not there */
    gboolean source;
    Network network;
} Source;

/* The longest network of a source that an address is in, found by looking at all. */
static guint32 scan(const Source *sources, guint n, const guint8 address[NETWORK_OCTETS])
{
    const Source *best = NULL;

    for (guint i = 0; i < n; i++)
        if (sources[i].credential && sources[i].source &&
            memcmp(sources[i].network.first, address, NETWORK_OCTETS) <= 0 &&
            memcmp(sources[i].network.last, address, NETWORK_OCTETS) >= 0 &&
            (!best || sources[i].network.length > best->network.length))
            best = &sources[i];
    return best ? best->credential : 0;
}

/* Few addresses, so that networks lie in each other, meet and come back; half of IPv4, and the ends of everything. */
static void some_address(GRand *rand, guint8 address[NETWORK_OCTETS])
{
    static const char *const bases[] = {"10.0.0.0", "10.0.255.255",
                                        "2001:db8::", "ffff:ffff::", "::"};
    guint bit = (guint)g_rand_int_range(rand, 0, NETWORK_BITS);

    network_address(bases[g_rand_int_range(rand, 0, G_N_ELEMENTS(bases))], address);
    if (g_rand_boolean(rand))
        memset(address + 14, g_rand_boolean(rand) ? 0xff : 0, 2);
    if (g_rand_int_range(rand, 0, 3) == 0)
        address[bit / 8] ^= (guint8)(1 << bit % 8);
    address[15] ^= (guint8)g_rand_int_range(rand, 0, 4);
}

static gboolean is_taken(const Source *sources, guint n, const Source *one)
{
    for (guint i = 0; i < n; i++)
        if (sources[i].credential && sources[i].source && one->source &&
            memcmp(&sources[i].network, &one->network, sizeof one->network) == 0)
            return TRUE;
    return FALSE;
}

static void append_octets(GString *sql, const guint8 octets[NETWORK_OCTETS])
{
    g_string_append(sql, ", x'");
    for (guint i = 0; i < NETWORK_OCTETS; i++)
        g_string_append_printf(sql, "%02x", octets[i]);
    g_string_append_c(sql, '\'');
}

static void append_upsert(GString *sql, guint id, const Source *source)
{
    g_string_append_printf(sql, "INSERT INTO credential_network VALUES (%u, %u, %d", id,
                           source->credential, source->source);
    append_octets(sql, source->network.first);
    append_octets(sql, source->network.last);
    g_string_append_printf(sql,
                           ", %u) ON CONFLICT (id) DO UPDATE SET source = excluded.source, "
                           "first = excluded.first, last = excluded.last, "
                           "prefix_length = excluded.prefix_length;",
                           source->network.length);
}

static void change_one(GRand *rand, Source *sources, guint n, GString *sql)
{
    guint at = (guint)g_rand_int_range(rand, 0, (gint32)n);
    Source next = {.credential = at + 1, .source = g_rand_int_range(rand, 0, 8) != 0};
    guint8 address[NETWORK_OCTETS];

    if (sources[at].credential && g_rand_boolean(rand)) {
        sources[at].credential = 0;
        g_string_append_printf(sql, "DELETE FROM credential_network WHERE id = %u;", at + 1);
        return;
    }
    some_address(rand, address);
    network_around(address, (guint)g_rand_int_range(rand, 0, NETWORK_BITS + 1), &next.network);
    if (is_taken(sources, n, &next))
        return;
    sources[at] = next;
    append_upsert(sql, at + 1, &next);
}

static void assert_same(State *s, const Source *sources, guint n,
                        const guint8 address[NETWORK_OCTETS])
{
    static const guint8 mapped[12] = {[10] = 0xff, [11] = 0xff};
    gboolean v4 = memcmp(address, mapped, sizeof mapped) == 0;
    g_autoptr(GInetAddress) parsed = g_inet_address_new_from_bytes(
        v4 ? address + 12 : address, v4 ? G_SOCKET_FAMILY_IPV4 : G_SOCKET_FAMILY_IPV6);
    g_autofree char *text = g_inet_address_to_string(parsed);
    guint32 wanted = scan(sources, n, address);

    if (id_of(s, text) != wanted)
        fail_msg("%s is %u, a scan finds %u", text, id_of(s, text), wanted);
}

#define SOURCES 60

/* However the networks came to be what they are, the replica finds what a scan finds. */
static void test_edge_credential_by_address_equals_scan(void **state)
{
    State *s = *state;
    g_autoptr(GRand) rand = g_rand_new_with_seed(20261126);
    Source sources[SOURCES] = {{0}};
    g_autoptr(GString) sql =
        g_string_new("INSERT OR IGNORE INTO credential VALUES (1, 1, 'smtp-ip', 0, "
                     "NULL, NULL)");

    for (guint i = 2; i <= SOURCES; i++)
        g_string_append_printf(sql, ", (%u, 1, 'smtp-ip', 0, NULL, NULL)", i);
    edge_fixture_exec(s->dir, EDGE_FILE_DIRECTORY, sql->str);
    for (guint round = 0; round < 120; round++) {
        g_string_truncate(sql, 0);
        for (guint i = 0; i < 10; i++)
            change_one(rand, sources, SOURCES, sql);
        edge_fixture_exec(s->dir, EDGE_FILE_DIRECTORY, sql->str);
        for (guint i = 0; i < SOURCES; i++) {
            guint8 address[NETWORK_OCTETS];
            some_address(rand, address);
            assert_same(s, sources, SOURCES, address);
            assert_same(s, sources, SOURCES, sources[i].network.first);
            assert_same(s, sources, SOURCES, sources[i].network.last);
        }
    }
    edge_fixture_exec(s->dir, EDGE_FILE_DIRECTORY,
                      "DELETE FROM credential_network; CREATE TABLE proof (n CHECK (n = 0));"
                      "INSERT INTO proof SELECT count(*) FROM source_edge");
}

/* A network may stand twice for a moment, when it goes from one credential to another. */
static void test_edge_credential_by_address_moves(void **state)
{
    State *s = *state;

    add_network(s, 20, TRUE, "10.0.0.0/8");
    add_network(s, 21, TRUE, "10.1.0.0/16");
    add_network(s, 22, TRUE, "10.1.0.0/16");
    edge_fixture_exec(s->dir, EDGE_FILE_DIRECTORY,
                      "DELETE FROM credential_network WHERE credential_id = 21");
    assert_int_equal(id_of(s, "10.1.2.9"), 22);
    edge_fixture_exec(s->dir, EDGE_FILE_DIRECTORY,
                      "UPDATE credential_network SET source = 0 WHERE credential_id = 22");
    assert_int_equal(id_of(s, "10.1.2.9"), 20);
    assert_int_equal(id_of(s, "11.0.0.0"), 0);
}

/* What wins does so whatever its state: nobody else's credential takes its place. */
static void test_edge_credential_by_address_state(void **state)
{
    State *s = *state;

    add_network(s, 20, TRUE, "10.0.0.0/8");
    add_network(s, 22, TRUE, "10.1.2.0/24");
    edge_fixture_exec(s->dir, EDGE_FILE_DIRECTORY,
                      "UPDATE credential SET disabled_at = 1 WHERE id = 22");
    g_autoptr(EdgeCredential) credential = edge_credential_by_address(s->edge, "10.1.2.9", NULL);
    assert_int_equal(credential->id, 22);
    assert_true(credential->disabled);
    edge_fixture_exec(s->dir, EDGE_FILE_DIRECTORY,
                      "DELETE FROM credential_network WHERE credential_id = 22");
    assert_int_equal(id_of(s, "10.1.2.9"), 20);
    edge_fixture_exec(s->dir, EDGE_FILE_DIRECTORY, "DELETE FROM credential WHERE id = 20");
    assert_int_equal(id_of(s, "10.1.2.9"), 0);
}

static void test_edge_network_allowed_table(void **state)
{
    static const struct {
        const char *client;
        gboolean wanted;
    } cases[] = {
        {"192.0.2.1", TRUE},    {"::ffff:192.0.2.255", TRUE},
        {"2001:db8::1", TRUE},  {"192.0.3.0", FALSE},
        {"192.0.1.255", FALSE}, {"2001:db8::2", FALSE},
        {"unknown", FALSE},     {"", FALSE},
        {NULL, FALSE},          {"10.0.0.1", FALSE},
    };
    State *s = *state;
    gboolean allowed = FALSE;

    g_autoptr(EdgeCredential) any = edge_credential_by_id(s->edge, 7, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        allowed = FALSE;
        assert_true(edge_network_allowed(s->edge, any, cases[i].client, &allowed, NULL));
        assert_true(allowed);
    }
    add_network(s, 7, FALSE, "192.0.2.0/24");
    add_network(s, 7, FALSE, "2001:db8::1");
    add_network(s, 8, FALSE, "10.0.0.0/8");
    g_autoptr(EdgeCredential) some = edge_credential_by_id(s->edge, 7, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        assert_true(edge_network_allowed(s->edge, some, cases[i].client, &allowed, NULL));
        if (allowed != cases[i].wanted)
            fail_msg("%s", cases[i].client);
    }
}

static void test_edge_sender_allowed_table(void **state)
{
    static const struct {
        const char *address;
        gboolean wanted;
    } cases[] = {
        {"app@acme.test", TRUE},
        {"APP@Acme.Test", TRUE},
        {"any@list.acme.test", TRUE},
        {"a@b@list.acme.test", TRUE},
        {"@list.acme.test", TRUE},
        {"App@b\u00fccher.test", TRUE},
        {"app@xn--bcher-kva.test", TRUE},
        {"other@b\u00fccher.test", FALSE},
        {"app@b\u200d\u00fccher.test", FALSE},
        {"app@evil.test\uff20acme.test", FALSE},
        {"other@acme.test", FALSE},
        {"app@acme.test.", FALSE},
        {"app@sub.acme.test", FALSE},
        {"any@sub.list.acme.test", FALSE},
        {"any@xlist.acme.test", FALSE},
        {"app@acme.test@else.test", FALSE},
        {"x@list.acme.test@else.test", FALSE},
        {"app", FALSE},
        {"acme.test", FALSE},
        {"", FALSE},
        {"%@acme.test", FALSE},
        {"app@acme.test ", FALSE},
        {"mallory@acme.test", FALSE},
    };
    State *s = *state;
    gboolean allowed = FALSE;

    g_autoptr(EdgeCredential) any = edge_credential_by_id(s->edge, 7, NULL);
    assert_true(edge_sender_allowed(s->edge, any, "x@else.test", &allowed, NULL));
    assert_true(allowed);
    edge_fixture_exec(s->dir, EDGE_FILE_DIRECTORY,
                      "INSERT INTO credential_sender VALUES (1, 7, 'app@acme.test'),"
                      " (2, 7, '@list.acme.test'), (3, 8, 'mallory@acme.test'), (4, 7, "
                      "'app@xn--bcher-kva.test')");
    g_autoptr(EdgeCredential) some = edge_credential_by_id(s->edge, 7, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        assert_true(edge_sender_allowed(s->edge, some, cases[i].address, &allowed, NULL));
        if (allowed != cases[i].wanted)
            fail_msg("%s", cases[i].address);
    }
}

static void test_edge_access_without_replica(void **state)
{
    State *s = *state;
    const EdgeCredential limited = {.id = 7, .has_networks = TRUE, .has_senders = TRUE};
    g_autofree char *nowhere = g_build_filename(s->dir, "nowhere", NULL);
    g_autoptr(Edge) edge = edge_open(nowhere);
    gboolean allowed = TRUE;
    GError *error = NULL;

    assert_null(edge_credential_by_address(edge, "10.0.0.1", &error));
    assert_error_code(error, UNAVAILABLE);
    assert_false(edge_network_allowed(edge, &limited, "10.0.0.1", &allowed, &error));
    assert_error_code(error, UNAVAILABLE);
    assert_false(edge_sender_allowed(edge, &limited, "a@acme.test", &allowed, &error));
    assert_error_code(error, UNAVAILABLE);
    assert_true(allowed);
}

static guint32 id_by_hash(State *s, guint8 octet, gint64 now)
{
    guint8 hash[EDGE_KEY_HASH_LENGTH];
    GError *error = NULL;

    for (guint i = 0; i < sizeof hash; i++)
        hash[i] = octet;
    g_autoptr(EdgeCredential) credential = edge_credential_by_key(s->edge, hash, now, &error);
    if (credential)
        return credential->id;
    assert_error_code(error, NOT_FOUND);
    return 0;
}

/* A key that was rotated away works to the second. */
static void test_edge_old_key_ends_by_time(void **state)
{
    State *s = *state;

    edge_fixture_exec(s->dir, EDGE_FILE_AUTH,
                      "UPDATE credential_secret SET old_until = 1795248000, old_key_hash = "
                      "x'0909090909090909090909090909090909090909090909090909090909090909', "
                      "old_cram_state = zeroblob(32) WHERE id = 7");
    assert_int_equal(id_by_hash(s, 9, UNTIL - 1), 7);
    assert_int_equal(id_by_hash(s, 9, UNTIL), 0);
    assert_int_equal(id_by_hash(s, 8, UNTIL - 1), 0);
    g_autoptr(GArray) both = edge_cram_states(s->edge, "acme", "main", UNTIL - 1, NULL);
    g_autoptr(GArray) one = edge_cram_states(s->edge, "acme", "main", UNTIL, NULL);
    assert_int_equal(both->len, 2);
    assert_int_equal(one->len, 1);
    assert_memory_equal(g_array_index(one, EdgeCram, 0).state, cram_state, sizeof cram_state);
    edge_fixture_exec(s->dir, EDGE_FILE_AUTH, "UPDATE credential_secret SET old_until = NULL");
    assert_int_equal(id_by_hash(s, 9, 0), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_edge_credential_by_address_longest_wins),
        CASE(test_edge_credential_by_address_state),
        CASE(test_edge_credential_by_address_equals_scan),
        CASE(test_edge_credential_by_address_moves),
        CASE(test_edge_network_allowed_table),
        CASE(test_edge_sender_allowed_table),
        CASE(test_edge_access_without_replica),
        CASE(test_edge_old_key_ends_by_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
