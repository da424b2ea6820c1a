/* SPDX-License-Identifier: MIT */
/* Rules as the replica looks them up, against a scan over all of them. */
#include "lib/edge/edge_lane.h"

#include <string.h>

#include "lib/base/condition.h"
#include "lib/base/error.h"
#include "tests/lib/edge_fixture.h"
#include "tests/lib/testing.h"

#define RULES  24
#define ROUNDS 40
#define ASKED  40

static const EdgeCredential credential = {.server = 1, .organization = 1, .has_rules = TRUE};

typedef struct {
    guint32 id; /* 0: is not there */
    guint32 organization, server, pool, smarthost;
    char *from, *to;
} Rule;

static void rule_clear(Rule *rule)
{
    g_free(rule->from);
    g_free(rule->to);
    *rule = (Rule){0};
}

static gboolean holds(const Rule *rule, const GPtrArray *from, const char *rcpt)
{
    for (guint i = 0; i < from->len; i++)
        if (condition_list_match(rule->from, from->pdata[i]))
            return TRUE;
    return condition_list_match(rule->to, rcpt);
}

static gboolean concerns(const Rule *rule)
{
    return rule->id && rule->organization == credential.organization &&
           (rule->server == 0 || rule->server == credential.server);
}

static gboolean goes_before(const Rule *rule, const Rule *other)
{
    if (!other || (rule->server != 0) != (other->server != 0))
        return !other || rule->server != 0;
    return rule->id > other->id;
}

/* What the replica has to come to, found by looking at every rule. */
static guint32 scan(const Rule *rules, guint n, const GPtrArray *from, const char *rcpt)
{
    const Rule *best = NULL;

    for (guint i = 0; i < n; i++)
        if (concerns(&rules[i]) && holds(&rules[i], from, rcpt) && goes_before(&rules[i], best))
            best = &rules[i];
    return best ? best->id : 0;
}

static char *quoted(const char *text)
{
    g_auto(GStrv) parts = text ? g_strsplit(text, "'", -1) : NULL;
    g_autofree char *doubled = parts ? g_strjoinv("''", parts) : NULL;

    return doubled ? g_strdup_printf("'%s'", doubled) : g_strdup("NULL");
}

static char *number(guint32 id)
{
    return id ? g_strdup_printf("%u", id) : g_strdup("NULL");
}

static void append_upsert(GString *sql, const Rule *rule)
{
    g_autofree char *from = quoted(rule->from), *to = quoted(rule->to);
    g_autofree char *server = number(rule->server), *pool = number(rule->pool);
    g_autofree char *smarthost = number(rule->smarthost);

    g_string_append_printf(
        sql,
        "INSERT INTO lane_rule VALUES (%u, %u, %s, %s, %s, %s, %s) ON CONFLICT (id) DO UPDATE SET "
        "organization_id = excluded.organization_id, server_id = excluded.server_id, "
        "ip_pool_id = excluded.ip_pool_id, smarthost_id = excluded.smarthost_id, "
        "from_conditions = excluded.from_conditions, to_conditions = excluded.to_conditions;",
        rule->id, rule->organization, server, pool, smarthost, from, to);
}

static EdgeLaneRule ask(EdgeWorld *world, const GPtrArray *from, const char *rcpt)
{
    EdgeLaneRule rule = {.id = 99};
    GError *error = NULL;

    edge_lane_rule(world->edge, &credential, from, rcpt, &rule, &error);
    assert_no_error(error);
    return rule;
}

static int setup(void **state)
{
    const EdgeFixture fixture = {0};

    edge_world_start(state);
    edge_fixture_fill(((EdgeWorld *)*state)->dir, &fixture);
    return 0;
}

static char acme[] = "acme.test";
static char boss[] = "boss@acme.test";
static char partner[] = "partner.test";
static char odd[] = "it's\\n@acme.test,x@y.test";

static Rule table[] = {
    {1, 1, 0, 11, 0, acme, NULL},    {2, 1, 1, 12, 0, boss, NULL},
    {3, 1, 0, 0, 13, NULL, partner}, {4, 1, 1, 14, 0, boss, partner},
    {5, 1, 0, 15, 0, boss, partner}, {6, 1, 2, 16, 0, boss, acme},
    {7, 2, 0, 17, 0, boss, acme},    {8, 1, 0, 18, 0, odd, NULL},
};

static void test_edge_lane_rule_table(void **state)
{
    static const struct {
        guint rules; /* bit n: rule n + 1 is there */
        const char *from, *rcpt;
        guint32 rule;
    } cases[] = {
        {0, "x@acme.test", "y@ok.test", 0},
        {1, "x@acme.test", "y@ok.test", 1},
        {1, "X+tag@ACME.TEST", "y@ok.test", 1},
        {1, "x@other.test", "y@acme.test", 0},
        {2, "boss@other.test", "boss@acme.test", 0},
        {3, "boss@acme.test", "y@ok.test", 2}, /* the server's goes first, though younger */
        {17, "boss@acme.test", "y@ok.test", 5},
        {10, "boss@acme.test", "y@ok.test", 4}, /* of the server's the newest */
        {31, "x@other.test", "y@partner.test", 4},
        {21, "x@other.test", "Y+z@Partner.Test", 5},
        {4, "x@other.test", "y@partner.test", 3},
        {31, "x@other.test", "y@sub.partner.test", 0},
        {31, "x@other.test", "partner.test", 0},
        {31, "x@other.test", "", 0},
        {31, NULL, "y@ok.test", 0},
        {96, "boss@acme.test", "y@acme.test", 0}, /* of another server, of another organization */
        {128, "it's\\n@acme.test", "y@ok.test", 8},
        {128, "it's\n@acme.test", "y@ok.test", 0},
        {128, "x@y.test", "y@ok.test", 8},
        {128, odd, "y@ok.test", 0},
    };
    EdgeWorld *world = *state;

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) sql = g_string_new("DELETE FROM lane_rule;");
        g_autoptr(GPtrArray) from = g_ptr_array_new();
        for (guint r = 0; r < G_N_ELEMENTS(table); r++)
            if (cases[i].rules >> r & 1)
                append_upsert(sql, &table[r]);
        edge_fixture_exec(world->dir, EDGE_FILE_DIRECTORY, sql->str);
        g_ptr_array_add(from, (char[]){"z@nobody.test"});
        if (cases[i].from)
            g_ptr_array_add(from, (gpointer)(guintptr)cases[i].from);
        EdgeLaneRule rule = ask(world, from, cases[i].rcpt);
        const Rule *wanted = cases[i].rule ? &table[cases[i].rule - 1] : &(Rule){0};
        if (rule.id != wanted->id || rule.pool != wanted->pool ||
            rule.smarthost != wanted->smarthost ||
            rule.of_server != (wanted->id && wanted->server != 0))
            fail_msg("case %u: rule %u, pool %u, smart host %u", i, rule.id, rule.pool,
                     rule.smarthost);
    }
}

static char *some_address(GRand *rand, gboolean as_condition)
{
    static const char *const locals[] = {"a", "b", "A", "b+tag", "ü", "+c"};
    static const char *const domains[] = {"one.test",    "two.test", "sub.one.test",
                                          "Bücher.test", "ONE.test", "xn--bcher-kva.test"};
    const char *local = locals[g_rand_int_range(rand, 0, G_N_ELEMENTS(locals))];
    const char *domain = domains[g_rand_int_range(rand, 0, G_N_ELEMENTS(domains))];

    if (as_condition && g_rand_int_range(rand, 0, 3) == 0)
        return g_strdup(domain);
    return g_strdup_printf("%s@%s", local, domain);
}

/* Often NULL. */
static char *some_conditions(GRand *rand)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
    const char *wrong = NULL;

    for (gint n = g_rand_int_range(rand, 0, 4); n > 0; n--)
        g_ptr_array_add(words, some_address(rand, TRUE));
    g_ptr_array_add(words, NULL);
    g_autofree char *text = g_strjoinv(",", (char **)words->pdata);
    return condition_list_read(text, &wrong);
}

static void change_one(GRand *rand, Rule *rules, GString *sql)
{
    guint at = (guint)g_rand_int_range(rand, 0, RULES);
    Rule *rule = &rules[at];

    if (rule->id && g_rand_int_range(rand, 0, 3) == 0) {
        g_string_append_printf(sql, "DELETE FROM lane_rule WHERE id = %u;", rule->id);
        rule_clear(rule);
        return;
    }
    rule_clear(rule);
    guint32 server = (guint32)g_rand_int_range(rand, 0, 4); /* 3 is of organization 2 */
    gboolean other = server == 3 || (server == 0 && g_rand_int_range(rand, 0, 4) == 0);
    *rule = (Rule){.id = at + 1,
                   .organization = other ? 2 : 1,
                   .server = server,
                   .pool = at + 50,
                   .from = some_conditions(rand),
                   .to = some_conditions(rand)};
    append_upsert(sql, rule);
}

/* However the rules came to be what they are, the replica finds what a scan finds. */
static void test_edge_lane_rule_equals_scan(void **state)
{
    EdgeWorld *world = *state;
    g_autoptr(GRand) rand = g_rand_new_with_seed(20261126);
    Rule rules[RULES] = {{0}};
    guint held = 0, none = 0;

    for (guint round = 0; round < ROUNDS; round++) {
        g_autoptr(GString) sql = g_string_new(NULL);
        for (guint i = 0; i < 8; i++)
            change_one(rand, rules, sql);
        edge_fixture_exec(world->dir, EDGE_FILE_DIRECTORY, sql->str);
        for (guint i = 0; i < ASKED; i++) {
            g_autoptr(GPtrArray) from = g_ptr_array_new_with_free_func(g_free);
            g_autofree char *rcpt = some_address(rand, FALSE);
            for (gint n = g_rand_int_range(rand, 0, 3); n > 0; n--)
                g_ptr_array_add(from, some_address(rand, FALSE));
            guint32 wanted = scan(rules, RULES, from, rcpt);
            EdgeLaneRule rule = ask(world, from, rcpt);
            if (rule.id != wanted || rule.pool != (wanted ? wanted + 49 : 0))
                fail_msg("round %u, to %s: rule %u, a scan finds %u", round, rcpt, rule.id, wanted);
            *(wanted ? &held : &none) += 1;
        }
    }
    assert_true(held > ROUNDS && none > ROUNDS);
    for (guint i = 0; i < RULES; i++)
        rule_clear(&rules[i]);
}

/* Nothing is left of rules that are gone, also after a rebuild. */
static void test_edge_lane_rule_leaves_nothing(void **state)
{
    EdgeWorld *world = *state;
    g_autoptr(GString) sql = g_string_new(NULL);
    g_autoptr(GPtrArray) from = g_ptr_array_new();

    g_ptr_array_add(from, boss);
    for (guint r = 0; r < G_N_ELEMENTS(table); r++)
        append_upsert(sql, &table[r]);
    edge_fixture_exec(world->dir, EDGE_FILE_DIRECTORY, sql->str);
    assert_int_equal(ask(world, from, "y@ok.test").id, 4);
    edge_fixture_exec(world->dir, EDGE_FILE_DIRECTORY, "DELETE FROM lane_rule");
    assert_int_equal(ask(world, from, "y@ok.test").id, 0);
    edge_fixture_exec(world->dir, EDGE_FILE_DIRECTORY,
                      "CREATE TABLE proof (n CHECK (n = 0));"
                      "INSERT INTO proof SELECT count(*) FROM lane_rule_condition");
}

static void test_edge_pool_that_defers_table(void **state)
{
    static const struct {
        const char *pools;
        guint32 pool;
        const char *name;
    } cases[] = {
        {"(1, 'main', 1, 'default'), (2, 'own', 0, 'defer')", 0, NULL},
        {"(1, 'main', 1, 'default'), (2, 'own', 0, 'defer')", 1, NULL},
        {"(1, 'main', 1, 'default'), (2, 'own', 0, 'defer')", 2, "own"},
        {"(1, 'main', 1, 'default'), (2, 'own', 0, 'defer')", 3, NULL},
        {"(1, 'main', 1, 'defer'), (2, 'own', 0, 'default')", 0, "main"},
        {"(1, 'main', 0, 'defer'), (2, 'own', 0, 'defer')", 0, NULL},
        {"(1, 'main', 0, NULL)", 1, NULL},
    };
    EdgeWorld *world = *state;

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *sql =
            g_strdup_printf("DELETE FROM ip_pool; INSERT INTO ip_pool VALUES %s", cases[i].pools);
        g_autofree char *name = NULL;
        edge_fixture_exec(world->dir, EDGE_FILE_DIRECTORY, sql);
        assert_true(edge_pool_that_defers(world->edge, cases[i].pool, &name, NULL));
        if (g_strcmp0(name, cases[i].name) != 0)
            fail_msg("case %u: %s", i, name);
    }
}

static void test_edge_lane_states_table(void **state)
{
    static const EdgeLaneState wanted[] = {
        {1, 4, 50, TRUE, FALSE, TRUE, NULL, FALSE},
        {2, 5, 0, FALSE, FALSE, FALSE, NULL, TRUE},
        {3, 0, 0, TRUE, FALSE, TRUE, (char *)(guintptr) "[smart.test]:587", FALSE},
        {4, 5, 0, FALSE, TRUE, FALSE, NULL,
         TRUE}, /* it is served no more, whatever the file says */
        {6, 0, 0, FALSE, TRUE, FALSE, NULL, FALSE},
    };
    static const guint32 numbers[] = {1, 3, 4};
    EdgeWorld *world = *state;
    g_autoptr(GArray) served = g_array_new(FALSE, FALSE, sizeof(guint32));

    g_array_append_vals(served, numbers, G_N_ELEMENTS(numbers));
    edge_fixture_exec(
        world->dir, EDGE_FILE_DIRECTORY,
        "DELETE FROM ip_pool; DELETE FROM ip_address; DELETE FROM lane;"
        "INSERT INTO ip_pool VALUES (4, 'main', 1, 'default'), (5, 'own', 0, 'defer');"
        "INSERT INTO ip_address (id, lane, ip_pool_id, weight) VALUES (9, 2, 5, 0), (10, 1, 4, 50);"
        "INSERT INTO smarthost VALUES (1, 3, 'smart', 'smart.test', 587, 1);"
        "INSERT INTO lane VALUES (4, 'address', 5, 1001), (5, 'address', 5, 1000),"
        "(6, 'smarthost', NULL, 2000), (1, 'address', 4, NULL)");
    g_autoptr(GArray) lanes = edge_lane_states(world->edge, served, 1000, NULL);
    assert_int_equal(lanes->len, G_N_ELEMENTS(wanted));
    for (guint i = 0; i < lanes->len; i++) {
        const EdgeLaneState *lane = &g_array_index(lanes, EdgeLaneState, i);
        if (lane->lane != wanted[i].lane || lane->pool != wanted[i].pool ||
            lane->weight != wanted[i].weight || lane->is_default != wanted[i].is_default ||
            lane->gone != wanted[i].gone || lane->served != wanted[i].served ||
            g_strcmp0(lane->next_hop, wanted[i].next_hop) != 0 || lane->defer != wanted[i].defer)
            fail_msg("lane %u", lane->lane);
    }
}

static void test_edge_lane_rule_without_replica(void **state)
{
    EdgeWorld *world = *state;
    g_autoptr(GPtrArray) from = g_ptr_array_new();
    const EdgeCredential without = {.server = 1, .organization = 1};
    EdgeLaneRule rule = {.id = 99};
    GError *error = NULL;

    assert_false(edge_lane_rule(world->edge, &credential, from, "a@b.test", &rule, &error));
    assert_error_code(error, UNAVAILABLE);
    assert_int_equal(rule.id, 99);
    char *name = NULL;
    assert_false(edge_pool_that_defers(world->edge, 1, &name, &error));
    assert_error_code(error, UNAVAILABLE);
    assert_null(name);
    assert_null(edge_lane_states(world->edge, NULL, 0, &error));
    assert_error_code(error, UNAVAILABLE);
    assert_true(edge_lane_rule(world->edge, &without, NULL, "a@b.test", &rule, NULL));
    assert_int_equal(rule.id, 0);
}

/* Whether it has rules, a credential tells. */
static void test_edge_credential_has_rules(void **state)
{
    static const struct {
        guint rule;
        gboolean wanted;
    } cases[] = {{0, TRUE}, {1, TRUE}, {5, FALSE}, {6, FALSE}};
    EdgeWorld *world = *state;

    edge_fixture_exec(world->dir, EDGE_FILE_DIRECTORY,
                      "INSERT INTO credential VALUES (7, 1, 'smtp', 0, NULL, NULL)");
    g_autoptr(EdgeCredential) none = edge_credential_by_id(world->edge, 7, NULL);
    assert_false(none->has_rules);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) sql = g_string_new("DELETE FROM lane_rule;");
        append_upsert(sql, &table[cases[i].rule]);
        edge_fixture_exec(world->dir, EDGE_FILE_DIRECTORY, sql->str);
        g_autoptr(EdgeCredential) some = edge_credential_by_id(world->edge, 7, NULL);
        assert_int_equal(some->has_rules, cases[i].wanted);
    }
}

#define CASE(name, with) cmocka_unit_test_setup_teardown(name, with, edge_world_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_edge_lane_rule_table, setup),
        CASE(test_edge_lane_rule_equals_scan, setup),
        CASE(test_edge_lane_rule_leaves_nothing, setup),
        CASE(test_edge_pool_that_defers_table, setup),
        CASE(test_edge_lane_states_table, setup),
        CASE(test_edge_lane_rule_without_replica, edge_world_start),
        CASE(test_edge_credential_has_rules, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
