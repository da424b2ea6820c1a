/* SPDX-License-Identifier: MIT */
#include "cli/address_check.h"

#include <string.h>

#include "lib/base/error.h"
#include "tests/lib/testing.h"

typedef struct {
    const char *dns;   /* "TYPE name data" lines; data "!" means that nobody answers */
    GHashTable *asked; /* "TYPE name" of the questions that were announced */
} World;

static void announce(const char *name, DnsType type, gpointer data)
{
    g_hash_table_add(data, g_strdup_printf("%s %s", dns_type_word(type), name));
}

static GPtrArray *answer(const char *name, DnsType type, gpointer data, GError **error)
{
    const World *world = data;
    g_autofree char *key = g_strdup_printf("%s %s", dns_type_word(type), name);
    g_auto(GStrv) lines = g_strsplit(world->dns, "\n", -1);
    g_autoptr(GPtrArray) records = g_ptr_array_new_with_free_func(g_free);

    assert_true(g_hash_table_contains(world->asked, key));
    for (guint i = 0; lines[i]; i++) {
        g_auto(GStrv) words = g_strsplit(lines[i], " ", 3);
        if (!words[0] || !g_str_equal(words[0], dns_type_word(type)) ||
            !g_str_equal(words[1], name))
            continue;
        if (g_str_equal(words[2], "!")) {
            g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE, "DNS: nobody answers");
            return NULL;
        }
        g_ptr_array_add(records, g_strdup(words[2]));
    }
    if (records->len)
        return g_steal_pointer(&records);
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND, "no such record");
    return NULL;
}

#define ONE "[{\"id\":1,\"ipv4\":\"192.0.2.1\",\"ipv6\":null,\"helo\":\"o1.test\"}]"
#define TWO                                                                                        \
    "[{\"id\":1,\"ipv4\":\"192.0.2.1\",\"ipv6\":null,\"helo\":\"o1.test\"},"                       \
    "{\"id\":2,\"ipv4\":\"192.0.2.2\",\"ipv6\":null,\"helo\":\"o1.test\"}]"
#define SIX "[{\"id\":1,\"ipv4\":\"192.0.2.1\",\"ipv6\":\"2001:db8::1\",\"helo\":\"o1.test\"}]"
#define TWICE                                                                                      \
    "[{\"id\":1,\"ipv4\":\"192.0.2.1\",\"ipv6\":null,\"helo\":\"o1.test\"},"                       \
    "{\"id\":2,\"ipv4\":\"192.0.2.1\",\"ipv6\":null,\"helo\":\"o2.test\"}]"
#define MIXED                                                                                      \
    "[{\"id\":1,\"ipv4\":\"192.0.2.1\",\"ipv6\":null,\"helo\":\"o1.test\"},"                       \
    "{\"id\":2,\"ipv4\":null,\"ipv6\":\"2001:db8::2\",\"helo\":\"o1.test\"}]"
#define MIXED6                                                                                     \
    "[{\"id\":1,\"ipv4\":\"192.0.2.1\",\"ipv6\":\"2001:db8::1\",\"helo\":\"o1.test\"},"            \
    "{\"id\":2,\"ipv4\":\"192.0.2.2\",\"ipv6\":\"2001:db8::2\",\"helo\":\"o1.test\"}]"
#define PTR "PTR 1.2.0.192.in-addr.arpa o1.test\n"
#define A   "A o1.test 192.0.2.1\n"
#define PTR6                                                                                       \
    "PTR 1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa o1.test\n"

static void test_address_check_table(void **state)
{
    static const struct {
        const char *all, *here, *dns;
        const char *failed; /* check, NULL: all are well */
        AddressResult result;
    } cases[] = {
        {ONE, "192.0.2.1", PTR A, NULL, ADDRESS_OK},
        {ONE, "192.0.2.1", "PTR 1.2.0.192.in-addr.arpa other.test\n" PTR "A o1.test 192.0.2.9\n" A,
         NULL, ADDRESS_OK},
        {ONE, "192.0.2.2", PTR A, "host", ADDRESS_WRONG},
        {ONE, "192.0.2.1", A, "ptr", ADDRESS_WRONG},
        {ONE, "192.0.2.1", "PTR 1.2.0.192.in-addr.arpa !\n" A, "ptr", ADDRESS_UNCHECKED},
        {ONE, "192.0.2.1", "PTR 1.2.0.192.in-addr.arpa o1.test.test\n" A, "ptr is helo",
         ADDRESS_WRONG},
        {ONE, "192.0.2.1", PTR, "helo leads back", ADDRESS_WRONG},
        {ONE, "192.0.2.1", PTR "A o1.test 192.0.2.11", "helo leads back", ADDRESS_WRONG},
        {ONE, "192.0.2.1", PTR "A o1.test !", "helo leads back", ADDRESS_UNCHECKED},
        {TWO, "192.0.2.1", PTR A, "once", ADDRESS_WRONG},
        {TWO, "192.0.2.1", PTR A "A o1.test 192.0.2.2", NULL, ADDRESS_OK},
        {TWO, "192.0.2.1", PTR A "A o1.test 192.0.2.22", "once", ADDRESS_WRONG},
        {TWO, "192.0.2.1", PTR "A o1.test 192.0.2.2", "helo leads back", ADDRESS_WRONG},
        {TWICE, "192.0.2.1", PTR A, "once", ADDRESS_WRONG},
        {MIXED, "192.0.2.1", PTR A, NULL, ADDRESS_OK}, /* the other is of another family */
        {MIXED6, "192.0.2.1 2001:db8::1", PTR A PTR6 "AAAA o1.test 2001:db8::1", "once",
         ADDRESS_WRONG},
        {MIXED6, "192.0.2.1 2001:db8::1",
         PTR A PTR6 "AAAA o1.test 2001:db8::1\nAAAA o1.test 2001:db8::2\nA o1.test 192.0.2.2", NULL,
         ADDRESS_OK},
        {SIX, "192.0.2.1", PTR A, "host", ADDRESS_WRONG},
        {SIX, "192.0.2.1 2001:db8::1", PTR A, "ptr", ADDRESS_WRONG},
        {SIX, "192.0.2.1 2001:db8::1", PTR A PTR6, "helo leads back", ADDRESS_WRONG},
        {SIX, "192.0.2.1 2001:db8::1", PTR A PTR6 "AAAA o1.test 2001:db8::1", NULL, ADDRESS_OK},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Record) all = json_tokener_parse(cases[i].all);
        g_autoptr(GHashTable) here = g_hash_table_new(g_str_hash, g_str_equal);
        g_auto(GStrv) words = g_strsplit(cases[i].here, " ", -1);
        g_autoptr(GHashTable) asked = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        World world = {cases[i].dns, asked};
        for (guint w = 0; words[w]; w++)
            g_hash_table_add(here, words[w]);
        address_questions(json_object_array_get_idx(all, 0), announce, asked);
        g_autoptr(GPtrArray) findings =
            address_check(json_object_array_get_idx(all, 0), all, here, answer, &world);
        const AddressFinding *failed = address_check_failed(findings);
        if (g_strcmp0(failed ? failed->check : NULL, cases[i].failed) != 0 ||
            (failed && failed->result != cases[i].result))
            fail_msg("case %u: %s: %s", i, failed ? failed->check : "all well",
                     failed ? failed->text : "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_address_check_table)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
