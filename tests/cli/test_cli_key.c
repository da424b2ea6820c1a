/* SPDX-License-Identifier: MIT */
/* outrider key, and proofs of domains, against a real MariaDB. */
#include <string.h>

#include "tests/cli/cli_fixture.h"
#include "tests/lib/testing.h"

static void test_cli_key_wrong(void **state)
{
    static const struct {
        const char *line;
        int status;
        const char *says;
    } cases[] = {
        {"key list", 64, "installation|ORG"},
        {"key list acme", 65, "name a domain behind its owner"},
        {"key list acme none.test", 69, "does not exist"},
        {"key list installation acme.test", 65, "an argument too much"},
        {"key add acme acme.test --algorithm dsa", 65, "allowed are rsa with"},
        {"key add acme acme.test --bits 1024", 65, "allowed are rsa with"},
        {"key add acme acme.test --bits many", 65, "bits: "},
        {"key add acme acme.test --algorithm ed25519 --bits 2048", 65, "ed25519 without bits"},
        {"key rotate acme acme.test", 69, "no key signs yet"},
        {"key rotate acme acme.test --selector or-none", 69, "no key with selector \"or-none\""},
        {"key retire acme acme.test", 65, "a selector has to come last"},
        {"key retire installation", 64, "SELECTOR"},
        {"key retire installation or-none", 69, "no key with selector \"or-none\""},
        {"key retire installation or-a or-b", 65, "an argument too much"},
        {"key activate acme acme.test or-none", 69, "no key in state new or lost"},
        {"domain verify acme none.test", 69, "does not exist"},
        {"domain verify acme acme.test", 69, "verified already"},
        {"domain verify acme acme.test --mail a@b.test --code 1", 65, "do not go together"},
        {"domain check acme none.test", 69, "does not exist"},
        {"domain change acme acme.test --subdomains maybe", 65, "allowed are yes and no"},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_wrong(cases[i].line, NULL, cases[i].status, cases[i].says);
    g_autofree char *keys =
        mariadb_fixture_run(cli_server, "cli", "SELECT COUNT(*), SUM(state = 'new') FROM dkim_key");
    assert_string_equal(keys, "4\t2\n");
}

static void test_cli_verify_mail_wrong(void **state)
{
    (void)state;
    g_free(run_good("domain add acme proof.test --unverified"));
    assert_wrong("domain verify acme proof.test --mail root@proof.test", NULL, 65,
                 "mail: allowed are postmaster");
    assert_wrong("domain verify acme proof.test --code 000000", NULL, 69, "code: none was sent");
    g_autofree char *codes =
        mariadb_fixture_run(cli_server, "cli", "SELECT COUNT(*) FROM domain_code");
    assert_string_equal(codes, "0\n");
}

static const char *first_selector(struct json_object *answer, const char *state)
{
    struct json_object *keys = json_object_object_get(answer, "keys");

    for (size_t i = 0; i < json_object_array_length(keys); i++) {
        struct json_object *key = json_object_array_get_idx(keys, i);
        if (g_str_equal(json_object_get_string(json_object_object_get(key, "state")), state))
            return json_object_get_string(json_object_object_get(key, "selector"));
    }
    fail_msg("no key is %s", state);
    return NULL;
}

static void test_cli_key_life(void **state)
{
    g_autofree char *added = run_good("domain add acme life.test --no-ed25519");
    struct json_object *keys = run_json("--json key list acme life.test");
    g_autofree char *line =
        g_strdup_printf("key activate acme life.test %s", first_selector(keys, "new"));
    g_autofree char *activated = run_good(line);
    g_autofree char *rotated = run_good("key rotate acme life.test");
    struct json_object *after = run_json("--json key list acme life.test");
    g_autofree char *next =
        g_strdup_printf("--json key activate acme life.test %s", first_selector(after, "new"));
    struct json_object *last = run_json(next);

    (void)state;
    assert_has(added, "psrp.life.test. IN CNAME rp.example.\n");
    assert_has(activated, "  active  ");
    assert_has(rotated,
               "\nPublish this; the key signs once every server of the zone shows it:\nor-");
    assert_has(rotated, "._domainkey.life.test. IN TXT \"v=DKIM1; k=rsa; p=");
    assert_string_not_equal(first_selector(last, "active"), first_selector(last, "retired"));
    json_object_put(keys);
    json_object_put(after);
    json_object_put(last);
}

static void test_cli_domain_shows_its_proof_until_it_is_verified(void **state)
{
    g_autofree char *unverified = run_good("domain add acme shown.test --unverified");
    g_autofree char *verified = NULL;

    (void)state;
    assert_has(unverified, "shown.test. IN TXT \"outrider-verification=");
    g_free(run_good("domain change acme shown.test --verified"));
    verified = run_good("domain show acme shown.test");
    assert_null(strstr(verified, "outrider-verification="));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cli_key_wrong),
        cmocka_unit_test(test_cli_verify_mail_wrong),
        cmocka_unit_test(test_cli_key_life),
        cmocka_unit_test(test_cli_domain_shows_its_proof_until_it_is_verified),
    };

    return cmocka_run_group_tests(tests, cli_fixture_start, cli_fixture_stop);
}
