/* SPDX-License-Identifier: MIT */
#include "lib/admission/author.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/mime/field.h"
#include "tests/lib/edge_fixture.h"
#include "tests/lib/testing.h"

static void test_author_candidates_table(void **state)
{
    (void)state;
    static const struct {
        const char *fields[6];
        gboolean allow_sender;
        const char *domains; /* of the authors, in order */
    } cases[] = {
        {{"From", " a@acme.test"}, FALSE, "acme.test"},
        {{"from", " A <a@ACME.test>", "Sender", " b@b.test"}, FALSE, "acme.test"},
        {{"From", " a@acme.test", "Sender", " b@b.test"}, TRUE, "acme.test b.test"},
        {{"From", " a@acme.test", "Sender", " b@b.test, c@c.test"}, TRUE, "acme.test"},
        {{"From", " a@a.test", "Sender", " b@b.test", "Sender", " b@b.test"}, TRUE, "a.test"},
        {{NULL}, TRUE, ""},
        {{"Sender", " b@b.test"}, TRUE, ""},
        {{"From", ""}, FALSE, ""},
        {{"From", " a@acme.test, b@acme.test"}, FALSE, ""},
        {{"From", " a@acme.test", "From", " a@acme.test"}, FALSE, ""},
        {{"From", " a@acme.test", "FROM", " b@b.test", "Sender", " c@c.test"}, TRUE, ""},
        {{"From", " a@acme.test <b@b.test>"}, FALSE, ""},
        {{"From", " group: a@acme.test;"}, FALSE, ""},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) fields = mime_fields_new();
        for (guint j = 0; j + 1 < 6 && cases[i].fields[j]; j += 2)
            mime_fields_add(fields, cases[i].fields[j], cases[i].fields[j + 1]);
        g_autoptr(GPtrArray) authors = author_candidates(fields, cases[i].allow_sender);
        g_autoptr(GString) domains = g_string_new(NULL);
        for (guint j = 0; j < authors->len; j++)
            g_string_append_printf(domains, "%s%s", j ? " " : "",
                                   ((MimeMailbox *)authors->pdata[j])->domain);
        if (strcmp(domains->str, cases[i].domains) != 0)
            fail_msg("case %u: %s", i, domains->str);
    }
}

static const EdgeCredential credential = {.id = EDGE_FIXTURE_CREDENTIAL,
                                          .server = EDGE_FIXTURE_SERVER,
                                          .organization = EDGE_FIXTURE_ORGANIZATION};

static GPtrArray *fields_new(const char *from, const char *sender)
{
    GPtrArray *fields = mime_fields_new();

    mime_fields_add(fields, "From", from);
    if (sender)
        mime_fields_add(fields, "Sender", sender);
    return fields;
}

static void test_author_find_table(void **state)
{
    EdgeWorld *world = *state;
    static const struct {
        const char *from, *sender;
        gboolean allow_sender, found, by_from;
    } cases[] = {
        {" a@acme.test", NULL, FALSE, TRUE, TRUE},
        {" A <a@ACME.test>", NULL, FALSE, TRUE, TRUE},
        {" a@stranger.test", NULL, FALSE, FALSE, FALSE},
        {" a@stranger.test", " a@acme.test", FALSE, FALSE, FALSE},
        {" a@stranger.test", " a@acme.test", TRUE, TRUE, FALSE},
        {" a@stranger.test", " a@other.test", TRUE, FALSE, FALSE},
        {" a@acme.test, b@acme.test", " a@acme.test", TRUE, FALSE, FALSE},
        {"", " a@acme.test", TRUE, FALSE, FALSE},
    };

    edge_fixture_fill(world->dir, &(EdgeFixture){.key = "abcdefghijklmnopqrstuvwx"});
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) fields = fields_new(cases[i].from, cases[i].sender);
        g_auto(Author) author = {0};
        EdgeCredential who = credential;
        who.allow_sender = cases[i].allow_sender;
        assert_true(author_find(world->edge, &who, fields, &author, NULL));
        if ((author.authorised != NULL) != cases[i].found ||
            (cases[i].found && author.by_from != cases[i].by_from))
            fail_msg("case %u", i);
    }
}

static void test_author_find_without_replica(void **state)
{
    EdgeWorld *world = *state;
    g_autoptr(GPtrArray) fields = fields_new(" a@acme.test", NULL);
    g_auto(Author) author = {0};
    GError *error = NULL;

    assert_false(author_find(world->edge, &credential, fields, &author, &error));
    assert_error_code(error, UNAVAILABLE);
}

static void test_author_senders_allowed_table(void **state)
{
    EdgeWorld *world = *state;
    static const struct {
        const char *mail_from, *from;
        gboolean allowed;
    } cases[] = {
        {"a@acme.test", " a@acme.test", TRUE},
        {"", " a@acme.test", TRUE},
        {"b@acme.test", " a@acme.test", FALSE},
        {"a@acme.test", " b@acme.test", FALSE},
        {"", " b@acme.test", FALSE},
    };

    edge_fixture_fill(world->dir, &(EdgeFixture){.key = "abcdefghijklmnopqrstuvwx"});
    edge_fixture_exec(world->dir, EDGE_FILE_DIRECTORY,
                      "INSERT INTO credential_sender VALUES (1, 7, 'a@acme.test')");
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) fields = fields_new(cases[i].from, NULL);
        g_auto(Author) author = {0};
        EdgeCredential who = credential;
        gboolean allowed;
        who.has_senders = TRUE;
        assert_true(author_find(world->edge, &who, fields, &author, NULL));
        assert_true(
            author_senders_allowed(world->edge, &who, cases[i].mail_from, &author, &allowed, NULL));
        if (allowed != cases[i].allowed)
            fail_msg("case %u", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_author_candidates_table),
        cmocka_unit_test_setup_teardown(test_author_find_table, edge_world_start, edge_world_stop),
        cmocka_unit_test_setup_teardown(test_author_find_without_replica, edge_world_start,
                                        edge_world_stop),
        cmocka_unit_test_setup_teardown(test_author_senders_allowed_table, edge_world_start,
                                        edge_world_stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
