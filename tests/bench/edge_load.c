/* SPDX-License-Identifier: MIT */
/* edge_load [ROUNDS]: CPU that the mail path takes to look things up: what each message asks, a rule among the most that
 * there may be, and the credential of a client's address where every prefix length is in use. */
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/base/condition.h"
#include "lib/edge/edge_access.h"
#include "lib/edge/edge_lane.h"
#include "lib/edge/edge_limit.h"
#include "lib/edge/edge_schema.h"
#include "lib/edge/edge_suppression.h"

#define ROUNDS       20000
#define RULES        2000
#define NETWORKS     5000
#define V4_FIRST     104 /* of a /8, in bits of the 128 */
#define V6_FIRST     16
#define SUPPRESSIONS 100000

typedef struct {
    Edge *edge;
    guint64 rounds;
    guint found;
} Load;

typedef void (*Asked)(Load *load, guint64 round);

static double cpu_us(void)
{
    struct timespec spent;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
    return (double)spent.tv_sec * 1e6 + (double)spent.tv_nsec / 1e3;
}

static void measure(Load *load, const char *what, Asked asked)
{
    load->found = 0;
    asked(load, 0);
    double before = cpu_us();
    for (guint64 round = 1; round <= load->rounds; round++)
        asked(load, round);
    printf("%-34s %8.2f us of CPU, %3.0f %% found\n", what,
           (cpu_us() - before) / (double)load->rounds,
           100.0 * load->found / (double)(load->rounds + 1));
}

static void ask_rule(Load *load, const char *sender, const char *rcpt)
{
    const EdgeCredential credential = {.server = 1, .organization = 1, .has_rules = TRUE};
    g_autofree char *address = g_strdup(sender);
    g_autoptr(GPtrArray) from = g_ptr_array_new();
    EdgeLaneRule rule = {0};

    g_ptr_array_add(from, address);
    load->found += edge_lane_rule(load->edge, &credential, from, rcpt, &rule, NULL) && rule.id;
}

static void ask_rule_none(Load *load, guint64 round)
{
    (void)round;
    ask_rule(load, "app@nobody.test", "user@nobody.test");
}

static void ask_rule_some(Load *load, guint64 round)
{
    g_autofree char *rcpt = g_strdup_printf("user@to%" G_GUINT64_FORMAT ".test",
                                            round * 7919 % ((guint64)RULES * CONDITION_MAX));

    ask_rule(load, "app@nobody.test", rcpt);
}

static void ask_source(Load *load, const char *client)
{
    g_autoptr(EdgeCredential) found = edge_credential_by_address(load->edge, client, NULL);

    load->found += found != NULL;
}

static void ask_source_none(Load *load, guint64 round)
{
    (void)round;
    ask_source(load, "203.0.113.9");
}

static void ask_source_some(Load *load, guint64 round)
{
    g_autofree char *client = g_strdup_printf("10.%u.%u.%u", (guint)(round * 31 % 256),
                                              (guint)(round * 7 % 256), (guint)(round % 256));

    ask_source(load, client);
}

/* An address whose every longer prefix is a client's, but not this one. */
static void ask_source_nested(Load *load, guint64 round)
{
    (void)round;
    ask_source(load, "2001:db8::1");
}

/* What the milter looks up for each message, where nobody has rules, networks and lists. */
static void ask_message(Load *load, guint64 round)
{
    g_autoptr(EdgeCredential) credential = edge_credential_by_id(load->edge, 2, NULL);
    g_autoptr(EdgeDomain) domain = edge_domain_for(load->edge, 2, 2, "acme.test", NULL);
    g_autoptr(EdgeSuppression) suppression = NULL;
    g_autoptr(GArray) lanes = edge_lanes_of_pool(load->edge, 0, NULL);
    g_autoptr(GArray) smarthost = edge_smarthost(load->edge, 0, NULL);
    g_autoptr(GArray) keys = edge_sign_keys(load->edge, 1, NULL);
    gboolean limited = TRUE;

    (void)round;
    load->found +=
        credential && domain && lanes && smarthost && keys &&
        edge_is_limited(load->edge, credential, "ok.test", &limited, NULL) && !limited &&
        edge_suppression_find(load->edge, credential, "user@ok.test", 1, &suppression, NULL);
}

static void ask_suppressed(Load *load, guint64 round)
{
    const EdgeCredential credential = {.server = 1, .organization = 1};
    g_autofree char *rcpt =
        g_strdup_printf("user%" G_GUINT64_FORMAT "@full.test", round * 7919 % SUPPRESSIONS);
    g_autoptr(EdgeSuppression) found = NULL;

    edge_suppression_find(load->edge, &credential, rcpt, 1, &found, NULL);
    load->found += found != NULL;
}

static void ask_sender(Load *load, guint64 round)
{
    const EdgeCredential credential = {.id = 1, .has_senders = TRUE};
    gboolean allowed = FALSE;

    (void)round;
    edge_sender_allowed(load->edge, &credential, "app@acme.test", &allowed, NULL);
    load->found += allowed;
}

static void add_rules(GString *sql)
{
    for (guint rule = 0; rule < RULES; rule++) {
        g_string_append_printf(sql, "INSERT INTO lane_rule VALUES (%u, 1, %s, 1, NULL, '", rule + 1,
                               rule % 2 ? "1" : "NULL");
        for (guint i = 0; i < CONDITION_MAX; i++)
            g_string_append_printf(sql, "%sapp%u@from%u.test", i ? "," : "", i, rule);
        g_string_append(sql, "', '");
        for (guint i = 0; i < CONDITION_MAX; i++)
            g_string_append_printf(sql, "%sto%u.test", i ? "," : "", rule * CONDITION_MAX + i);
        g_string_append(sql, "');");
    }
}

static void append_octets(GString *sql, const guint8 octets[NETWORK_OCTETS])
{
    g_string_append(sql, ", x'");
    for (guint i = 0; i < NETWORK_OCTETS; i++)
        g_string_append_printf(sql, "%02x", octets[i]);
    g_string_append_c(sql, '\'');
}

static void add_network(GString *sql, guint id, const guint8 address[NETWORK_OCTETS], guint length)
{
    Network network;

    network_around(address, length, &network);
    g_string_append_printf(sql, "INSERT INTO credential_network VALUES (%u, 1, 1", id);
    append_octets(sql, network.first);
    append_octets(sql, network.last);
    g_string_append_printf(sql, ", %u);", length);
}

/* Below 2001:db8:: the networks of each length that 2001:db8::1 just is not in, and many of IPv4. */
static void add_networks(GString *sql)
{
    guint8 address[NETWORK_OCTETS];
    guint id = 0;

    for (guint length = V6_FIRST; length <= NETWORK_BITS; length++) {
        network_address("2001:db8::1", address);
        if (length > V6_FIRST + 16)
            address[(length - 1) / 8] ^= (guint8)(0x80 >> (length - 1) % 8);
        add_network(sql, ++id, address, length);
    }
    network_address("10.0.0.0", address);
    for (guint i = 0; i < NETWORKS; i++) {
        address[13] = (guint8)(i * 31);
        address[14] = (guint8)(i * 7);
        address[15] = (guint8)i;
        add_network(sql, ++id, address, V4_FIRST + 4 + i % 20);
    }
}

static void add_suppressions(GString *sql)
{
    for (guint i = 0; i < SUPPRESSIONS; i++)
        g_string_append_printf(sql,
                               "INSERT INTO suppression VALUES (%u, %d, 'user%u@full.test', "
                               "'manual', 'trial', 0, NULL);",
                               i + 1, (int)(i % 3) - 1, i);
}

static gboolean fill(const char *dir, EdgeFile file, const char *sql, GError **error)
{
    sqlite3 *db = edge_schema_open(dir, file, (gid_t)-1, error);
    double before = cpu_us();
    gboolean filled = db && edge_schema_exec(db, "BEGIN", error) &&
                      edge_schema_exec(db, sql, error) && edge_schema_set_state(db, 1, 1, error) &&
                      edge_schema_exec(db, "COMMIT", error);

    printf("%-34s %8.0f ms of CPU\n", edge_file_name(file), (cpu_us() - before) / 1e3);
    sqlite3_close(db);
    return filled;
}

static gboolean fill_all(const char *dir, GError **error)
{
    g_autoptr(GString) directory = g_string_new(
        "INSERT INTO organization VALUES (1, 'acme', NULL), (2, 'bare', NULL);"
        "INSERT INTO server VALUES (1, 1, 'main', 'live', NULL, 0, 0, 0, NULL, NULL, 'hold'),"
        " (2, 2, 'main', 'live', NULL, 0, 0, 0, NULL, NULL, 'hold');"
        "INSERT INTO domain VALUES (1, 2, 2, 'acme.test', 1, 0, 0, NULL);"
        "INSERT INTO credential VALUES (1, 1, 'smtp-ip', 0, NULL, NULL), (2, 2, 'smtp', 0, NULL, "
        "NULL);"
        "INSERT INTO ip_pool VALUES (1, 'main', 1, 'default');"
        "INSERT INTO ip_address VALUES (1, 1, 1, '192.0.2.1', NULL, 'o1.test', 100);"
        "INSERT INTO credential_sender VALUES (1, 1, 'else@acme.test'), (2, 1, '@acme.test');");
    g_autoptr(GString) suppression = g_string_new(NULL);

    add_rules(directory);
    add_networks(directory);
    add_suppressions(suppression);
    return fill(dir, EDGE_FILE_DIRECTORY, directory->str, error) &&
           fill(dir, EDGE_FILE_SUPPRESSION, suppression->str, error) &&
           fill(dir, EDGE_FILE_SIGN,
                "INSERT INTO dkim_key VALUES (1, 1, 's', 'rsa', 'PEM', 'active')", error);
}

static void empty(const char *dir)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};

    for (guint file = 0; file < EDGE_FILE_COUNT; file++)
        for (guint i = 0; i < G_N_ELEMENTS(suffixes); i++) {
            g_autofree char *path =
                g_strconcat(dir, "/", edge_file_name((EdgeFile)file), suffixes[i], NULL);
            g_unlink(path);
        }
    g_rmdir(dir);
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *dir = g_dir_make_tmp("outrider-edge-XXXXXX", &error);

    if (dir && fill_all(dir, &error)) {
        g_autoptr(Edge) edge = edge_open(dir);
        Load load = {edge, argc > 1 ? g_ascii_strtoull(argv[1], NULL, 10) : ROUNDS, 0};
        printf("%d rules with %d conditions of each kind, %d networks, %d suppressions:\n", RULES,
               CONDITION_MAX, NETWORKS + NETWORK_BITS + 1 - V6_FIRST, SUPPRESSIONS);
        measure(&load, "all for a plain message", ask_message);
        measure(&load, "suppressed recipient", ask_suppressed);
        measure(&load, "sender of a list", ask_sender);
        measure(&load, "rule for a recipient", ask_rule_some);
        measure(&load, "no rule", ask_rule_none);
        measure(&load, "client of IPv4", ask_source_some);
        measure(&load, "client beside every prefix length", ask_source_nested);
        measure(&load, "stranger", ask_source_none);
    }
    if (dir)
        empty(dir);
    if (error)
        fprintf(stderr, "edge_load: %s\n", error->message);
    return error ? 1 : 0;
}
