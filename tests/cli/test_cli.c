/* SPDX-License-Identifier: MIT */
/* outrider(1) as an admin types it, against a real MariaDB. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/id.h"
#include "lib/journal/journal.h"
#include "lib/seal/msgid.h"
#include "tests/cli/cli_fixture.h"
#include "tests/lib/testing.h"

static void test_cli_wrong(void **state)
{
    g_autofree char *endless = g_strnfill(10240, 'x');
    g_autofree char *longish = g_strnfill(300, 'x');
    const struct {
        const char *line, *word;
        int status;
        const char *says;
    } cases[] = {
        {"", NULL, 64, "no command"},
        {"bad", NULL, 64, "unknown object \"bad\""},
        {"%", "\xff\x1b[2J", 64, "\\xff\\x1b[2J"},
        {"server", NULL, 64, "a verb is missing"},
        {"server bad", NULL, 64, "unknown verb"},
        {"server add", NULL, 64, "ORG/SERVER"},
        {"server add acme/x y", NULL, 64, "too many arguments"},
        {"server add acme/x --nope", NULL, 64, "unknown option"},
        {"server add acme/x --name", NULL, 64, "a value is missing"},
        {"server add acme/x --name a --name b", NULL, 64, "given twice"},
        {"server list --name a", NULL, 64, "unknown option"},
        {"server list nobody", NULL, 69, "organization nobody does not exist"},
        {"domain list acme/none", NULL, 69, "server acme/none does not exist"},
        {"credential list acme/none", NULL, 69, "server acme/none does not exist"},
        {"address list other", NULL, 69, "pool other does not exist"},
        {"rule list nobody", NULL, 69, "organization nobody does not exist"},
        {"pool add p --default=yes", NULL, 64, "no value is allowed"},
        {"-c", NULL, 64, "a file is missing"},
        {"explain", NULL, 64, "ID|QUEUE-ID|ADDRESS"},
        {"organization add %", endless, 65, "longer than 4096"},
        {"organization add %", longish, 65, "organization: "},
        {"organization add %", "\xff\xfe", 65, "not valid UTF-8"},
        {"organization add %", "a\nb", 65, "control characters"},
        {"organization add %", "", 65, "organization: \"\""},
        {"organization add zz --name %", longish, 65, "name: "},
        {"organization add zz --name %", "\x1b[2J", 65, "control characters"},
        {"organization add -- -5/", NULL, 65, "organization: "},
        {"address add main --ipv4 192.0.2.9 --helo a.example --weight -1", NULL, 65, "weight: "},
        {"address add main --ipv4 1.2.3 --helo a.example", NULL, 65, "ipv4: "},
        {"address add main --ipv4 192.0.2.9", NULL, 65, "--helo"},
        {"domain add acme %",
         "b\xc3\xbc"
         "cher",
         65, "domain: "},
        {"server change acme/main", NULL, 65, "nothing to change"},
        {"message list --limit -1", NULL, 65, "limit: \"-1\""},
        {"message list --limit 100000", NULL, 65, "limit: "},
        {"message list --status sent", NULL, 65, "status: "},
        {"message show -- -1", NULL, 65, "id: \"-1\""},
        {"message show 9007199254740992", NULL, 65, "id: "},
        {"explain %", "a b", 65, "a message id"},
        {"explain %", "a@\xff", 65, "a message id"},
        {"postfix lines --plain-auth 192.0.2.1", NULL, 65, "plain-auth: "},
        {"organization add acme", NULL, 69, "exists already"},
        {"organization show nobody", NULL, 69, "does not exist"},
        {"organization delete acme", NULL, 69, "in use by: server main"},
        {"explain 12345", NULL, 69, "not in the history"},
        {"explain nobody@ok.test", NULL, 69, "not in the history"},
        {"message show 12345", NULL, 69, "not in the history"},
        {"message raw 12345", NULL, 69, "12345"},
        {"message raw x", NULL, 65, "id: "},
        {"db status -c /nonexistent", NULL, 78, "/nonexistent"},
    };

    (void)state;
    g_autofree char *before =
        mariadb_fixture_run(cli_server, "cli", "SELECT * FROM revision_counter");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_wrong(cases[i].line, cases[i].word, cases[i].status, cases[i].says);
    g_autofree char *after =
        mariadb_fixture_run(cli_server, "cli", "SELECT * FROM revision_counter");
    assert_string_equal(before, after);
}

static void test_cli_help_names_all(void **state)
{
    static const char *const lines[] = {"--help", "server --help", "server add --help",
                                        "explain --help", "--version"};
    static const char *const parts[] = {"organization", "change", "--allow-sender yes|no",
                                        "ID|QUEUE-ID|ADDRESS", "outrider "};

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autofree char *out = run_good(lines[i]);
        assert_has(out, parts[i]);
    }
}

static void test_cli_manual_is_current(void **state)
{
    g_autofree char *list = run_good("--manual");
    g_autofree char *page = NULL;

    (void)state;
    assert_true(g_file_get_contents(OUTRIDER_TEST_SRCDIR "/man/outrider.1", &page, NULL, NULL));
    if (!strstr(page, list))
        fail_msg("man/outrider.1 lacks the list that `outrider --manual' prints now");
}

static void test_cli_json_keys(void **state)
{
    struct json_object *credential = run_json("--json credential add acme/main json --cram-md5");
    struct json_object *domain = run_json("domain show acme acme.test --json");
    struct json_object *list = run_json("--json address list main");
    struct json_object *dns = json_object_object_get(domain, "dns");

    (void)state;
    assert_true(json_object_get_string_len(json_object_object_get(credential, "key")) >= 24);
    assert_true(json_object_get_int64(json_object_object_get(credential, "id")) > 0);
    assert_int_equal(json_object_array_length(dns), 5);
    for (gsize i = 0; i < json_object_array_length(dns); i++) {
        struct json_object *record = json_object_array_get_idx(dns, i);
        assert_non_null(json_object_object_get(record, "name"));
        assert_non_null(json_object_object_get(record, "type"));
        assert_non_null(json_object_object_get(record, "value"));
    }
    assert_int_equal(json_object_array_length(list), 1);
    json_object_put(credential);
    json_object_put(domain);
    json_object_put(list);
}

/* One message with two attempts and one that was only begun, as the worker writes them. */
static guint64 write_history(void)
{
    guint64 id = id_floor(g_get_real_time() / G_USEC_PER_SEC) | 0x101;
    g_autofree char *sql = g_strdup_printf(
        "INSERT INTO submission (id, server_id, credential_id, recipients, queue_id, mail_from, "
        "client_ip, client_helo, client_tls, at) VALUES (%" G_GUINT64_FORMAT ", 1, 1, 1, 'Q1abc', "
        "'app@acme.test', '192.0.2.99', 'client.example', 'TLSv1.3', 1795248000000000);"
        "INSERT INTO message (id, server_id, credential_id, submission_id, token, status, "
        "queue_id, "
        "rcpt_to, subject, lane, signatures, skipped, accepted_at, size) VALUES (%" G_GUINT64_FORMAT
        ", 1, 1, %" G_GUINT64_FORMAT
        ", 'AaBbCcDdEeFf0123', 'Sent', '4aBcDeFgHi', 'a@ok.test', 'x\x1b[2Jy', 1, "
        "'[\"acme.test:or-a:rsa-sha256\",\"acme.test:or-b:ed25519-sha256\"]', '[]', "
        "1795248000169000, 1234);"
        "INSERT INTO message (id, server_id, rcpt_to, queue_id) VALUES (%" G_GUINT64_FORMAT
        ", 1, 'b@ok.test', '4aBcDeFgHj');"
        "INSERT INTO delivery (message_id, attempt, at, status, relay, dsn, text, source_ip, tls) "
        "VALUES (%" G_GUINT64_FORMAT ", 1, 1795248000000000, 'SoftFail', 'mx.ok.test', '4.7.1', "
        "'451 greylisted', '192.0.2.1', NULL), (%" G_GUINT64_FORMAT ", 2, 1795248009500000, "
        "'Sent', 'mx.ok.test', '2.0.0', '250 ok', '192.0.2.1', 'TLSv1.3')",
        id, id, id, id + 256, id, id);

    g_free(mariadb_fixture_run(cli_server, "cli", sql));
    return id;
}

/* "explain" and a header's value; g_free. */
static char *explain_msgid(const char *token, guint64 id)
{
    g_autofree char *text = ring_generate(1);
    g_autoptr(KeyRing) ring = ring_parse("any", text, NULL);
    Msgid msgid = {.id = id, .server = 1};

    g_strlcpy(msgid.token, token, sizeof msgid.token);
    g_autofree char *value = msgid_seal(ring, &msgid);
    return g_strconcat("explain ", value, NULL);
}

static void test_cli_explain_timeline(void **state)
{
    guint64 id = write_history();
    g_autofree char *by_msgid = explain_msgid("AaBbCcDdEeFf0123", id);
    g_autofree char *other_token = explain_msgid("AaBbCcDdEeFf0124", id);
    g_autofree char *no_token = explain_msgid("AaBbCcDdEeFf0123", id + 256);
    g_autofree char *by_id = g_strdup_printf("explain %" G_GUINT64_FORMAT, id);
    g_autofree char *show = g_strdup_printf("--json message show %" G_GUINT64_FORMAT, id);
    const char *const lines[] = {by_id, by_msgid, "explain 4aBcDeFgHi", "explain a@ok.test"};
    const char *const forged[] = {other_token, no_token};
    static const char *const parts[] = {"credential app",
                                        "192.0.2.99",
                                        "signed as acme.test with or-a (rsa-sha256) and or-b "
                                        "(ed25519-sha256)\n",
                                        " +0 s  SoftFail",
                                        " +9.331 s  Sent",
                                        "451 greylisted",
                                        "class capacity, temporary\n",
                                        "HELO out1.acme.test",
                                        "250 ok",
                                        "the remote host took it",
                                        "x\\x1b[2Jy"};

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autofree char *out = run_good(lines[i]);
        for (size_t p = 0; p < G_N_ELEMENTS(parts); p++)
            assert_has(out, parts[p]);
        assert_null(strstr(out, " -0"));
        assert_null(strstr(out, "left out"));
    }
    for (size_t i = 0; i < G_N_ELEMENTS(forged); i++) {
        g_autofree char *out = NULL, *why = NULL;
        assert_int_equal(run(forged[i], NULL, &out, &why), 69);
        assert_has(why, "is not in the history");
    }
    g_autofree char *begun = run_good("explain b@ok.test");
    assert_has(begun, "Accepting: accepted; Postfix has not yet been seen");
    assert_has(begun, "the milter's journal was not applied");
    struct json_object *message = run_json(show);
    struct json_object *list = run_json("--json message list acme/main");
    struct json_object *none = run_json("--json message list --status HardFail");
    assert_int_equal(json_object_array_length(json_object_object_get(message, "deliveries")), 2);
    assert_int_equal(json_object_array_length(list), 1); /* what is Accepting is not shown */
    assert_int_equal(json_object_array_length(none), 0);
    json_object_put(message);
    json_object_put(list);
    json_object_put(none);
}

/* A submission of five that Postfix splits: sent twice and requeued, waiting, discarded, aborted, lost
 * sight of. */
static guint64 write_hop(void)
{
    guint64 base = id_floor(g_get_real_time() / G_USEC_PER_SEC) | 0x10001;
    g_autoptr(GString) sql = g_string_new(NULL);
    static const char *const rows[] = {
        "'Sent', NULL, 'QS003', 'h0@ok.test', 1795248001000000",
        "'Pending', NULL, 'QHOP1', 'h1@ok.test', NULL",
        "'HardFail', '554 5.7.1 recipient is suppressed', 'QS009', 'h2@ok.test', NULL",
        "'Aborted', 'not in the queue after 15 minutes', 'QHOP1', 'h3@ok.test', NULL",
        "'Unknown', 'gone from the queue', 'QS005', 'h4@ok.test', 1795248001000000"};

    g_string_append_printf(
        sql,
        "INSERT INTO submission (id, server_id, credential_id, recipients, hop, queue_id, "
        "mail_from, "
        "client_ip, client_helo, client_tls, at) VALUES (%" G_GUINT64_FORMAT
        ", 1, 1, 5, 1, 'QHOP1', "
        "'app@acme.test', '192.0.2.99', 'client.example', 'TLSv1.3', 1795248000000000);",
        base);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        g_string_append_printf(
            sql,
            "INSERT INTO message (id, server_id, credential_id, submission_id, status, "
            "status_reason, queue_id, rcpt_to, accepted_at) VALUES (%" G_GUINT64_FORMAT ", 1, 1, "
            "%" G_GUINT64_FORMAT ", %s);",
            id_at(base, i), base, rows[i]);
    g_string_append_printf(
        sql,
        "UPDATE message SET hold_at = 1795248001000001, hold_reason = 'development mode', "
        "hold_expires = 1795334400000000 WHERE id = %" G_GUINT64_FORMAT ";"
        "INSERT INTO message_copy VALUES (%" G_GUINT64_FORMAT ", 'QS001', NULL, 1795248001500000), "
        "(%" G_GUINT64_FORMAT ", 'QS002', NULL, 1795248002500000), (%" G_GUINT64_FORMAT
        ", 'QS003', 'QS002', 1795248003500000);"
        "INSERT INTO refusal (id, server_id, queue_id, rcpt_to, code, text, rule, at) VALUES "
        "(%" G_GUINT64_FORMAT ", 1, 'QS009', 'h2@ok.test', '554 5.7.1', 'recipient is suppressed', "
        "'suppression', 1795248001000000)",
        base, base, base, base, id_at(base, 2));
    g_free(mariadb_fixture_run(cli_server, "cli", sql->str));
    return base;
}

static void test_cli_explain_hop(void **state)
{
    guint64 base = write_hop();
    static const struct {
        const char *line;
        const char *parts[9];
    } cases[] = {
        {"explain h0@ok.test",
         {"handed in for 5 recipients, queue id QHOP1", "split off, queue id QS001",
          "in Postfix's queue, queue id QS001", "in Postfix's queue, queue id QS002",
          "requeued, queue id QS003, before that QS002", "duplicate: ",
          "to be held: development mode", "until 2026-11-22 08:00:00", "credential app"}},
        {"explain QS001", {"to h0@ok.test", "duplicate: "}}, /* an earlier queue id of its */
        {"explain h1@ok.test",
         {"handed in for 5 recipients", "waiting to be split, queue id QHOP1\n", "credential app"}},
        {"explain h2@ok.test",
         {"HardFail: refused for good\n  reason: 554 5.7.1 recipient is suppressed\n"}},
        {"explain h3@ok.test",
         {"Aborted: accepted, but it never came", "reason: not in the queue after 15 minutes"}},
        {"explain h4@ok.test", {"Unknown: no longer in", "reason: gone from the queue"}},
        {"explain QHOP1",
         {"handed in for 5 recipients, queue id QHOP1", "credential app", "h0@ok.test",
          "h1@ok.test", "h2@ok.test", "h3@ok.test", "h4@ok.test", "recipient is suppressed"}},
        {"message list --to h0@ok.test", {"DUPLICATE", "yes"}},
        {"message list --status Aborted", {"h3@ok.test"}},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *out = run_good(cases[i].line);
        for (size_t p = 0; p < G_N_ELEMENTS(cases[i].parts) && cases[i].parts[p]; p++)
            assert_has(out, cases[i].parts[p]);
        assert_null(strstr(out, "\nrefusal"));
        assert_true((strstr(out, "waiting to be split") != NULL) == (i == 2));
    }
    g_autofree char *usual = run_good("message list");
    assert_null(strstr(usual, "h3@ok.test"));
    g_autofree char *line = g_strdup_printf("--json message show %" G_GUINT64_FORMAT, base);
    struct json_object *message = run_json(line);
    struct json_object *all = run_json("--json explain QHOP1");
    struct json_object *submissions = json_object_object_get(all, "submissions");
    struct json_object *submission = json_object_array_get_idx(submissions, 0);
    assert_true(json_object_get_boolean(json_object_object_get(message, "duplicate")));
    assert_int_equal(json_object_array_length(json_object_object_get(message, "copies")), 3);
    assert_int_equal(json_object_array_length(json_object_object_get(submission, "messages")), 5);
    assert_int_equal(json_object_array_length(json_object_object_get(all, "messages")), 0);
    json_object_put(message);
    json_object_put(all);
    g_autofree char *shown = run_good(line + strlen("--json "));
    assert_has(shown, "QS003     QS002");
}

static void test_cli_address_says_what_to_do_next(void **state)
{
    static const char *const lines[] = {
        "address add main --ipv4 192.0.2.77 --helo out77.acme.test --weight 0",
        "address change 192.0.2.77 --helo out78.acme.test", "address delete 192.0.2.77",
        "--json address list", "organization change acme --name Acme"};

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autofree char *out = NULL, *err = NULL;
        assert_int_equal(run(lines[i], NULL, &out, &err), 0);
        if (i < 3)
            assert_has(err, "outrider postfix apply");
        else
            assert_string_equal(err, "");
    }
}

static void test_cli_node_init_twice(void **state)
{
    g_autofree char *ring_path = g_build_filename(cli_dir, "keys", "return", NULL);
    g_autofree char *checks =
        g_build_filename(cli_dir, "postfix", "outrider", "milter_header_checks", NULL);
    g_autofree char *first = NULL, *second = NULL, *text = NULL;

    (void)state;
    g_free(run_good("node init"));
    assert_true(g_file_get_contents(ring_path, &first, NULL, NULL));
    g_free(run_good("node init"));
    assert_true(g_file_get_contents(ring_path, &second, NULL, NULL));
    assert_string_equal(first, second);
    assert_true(g_file_get_contents(checks, &text, NULL, NULL));
    assert_has(text, "\n/^X-Outrider-Stage: split$/ FILTER outrider-split:[127.0.0.1]:10026\n"
                     "/^X-Outrider-Lane: ([0-9]+)$/ FILTER outrider-ip$1:\n");
}

/* What must be the same everywhere is repaired; a rule that splits would make the hop a loop. */
static void test_cli_node_init_repairs_maps(void **state)
{
    g_autofree char *path =
        g_build_filename(cli_dir, "postfix", "outrider", "hop_milter_header_checks", NULL);
    g_autofree char *text = NULL;

    (void)state;
    g_free(run_good("node init"));
    assert_true(g_file_set_contents(path, "/^X-Outrider-Stage:/ FILTER a:b\n", -1, NULL));
    g_free(run_good("node init"));
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    assert_has(text, "\n/^X-Outrider-Lane: ([0-9]+)$/ FILTER outrider-ip$1:\n");
    assert_null(strstr(text, "Stage"));
}

static void test_cli_journal_cat(void **state)
{
    const JournalEntry entry = {.type = EVENT_MESSAGE_QUEUED,
                                .at_us = G_GINT64_CONSTANT(1795248000000000),
                                .json = "{\"v\":1,\"id\":42}",
                                .length = -1};
    g_autofree char *spool = g_build_filename(cli_dir, "spool", NULL);
    GError *error = NULL;
    Journal *journal = journal_open(spool, "milter", NULL, &error);

    (void)state;
    assert_no_error(error);
    assert_true(journal_append(journal, &entry, 1, &error));
    journal_close(journal);
    g_autofree char *out = run_good("journal cat milter");
    assert_has(out, "message.queued {\"v\":1,\"id\":42}");
    struct json_object *line = run_json("--json journal cat");
    assert_string_equal(json_object_get_string(json_object_object_get(line, "type")),
                        "message.queued");
    json_object_put(line);
    g_autofree char *none = NULL, *err = NULL;
    assert_int_equal(run("journal cat nope", NULL, &none, &err), 69);
    assert_has(err, "there are: milter");
    g_autofree char *nothing = NULL, *why = NULL;
    assert_int_equal(run("explain 42", NULL, &nothing, &why), 69);
    assert_has(why, "named by message.queued in the journal of milter");
}

/* Each parameter that master.cf sets is one of Postfix's. */
static void assert_known_parameters(const char *postconf, const char *master_lines)
{
    static const char mark[] = "  -o ";
    g_auto(GStrv) lines = g_strsplit(master_lines, "\n", -1);
    g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *out = NULL, *err = NULL;
    int status = -1;

    g_ptr_array_add(argv, g_strdup(postconf));
    g_ptr_array_add(argv, g_strdup("-d"));
    for (guint i = 0; lines[i]; i++)
        if (g_str_has_prefix(lines[i], mark))
            g_ptr_array_add(
                argv, g_strndup(lines[i] + strlen(mark), strcspn(lines[i] + strlen(mark), "=")));
    assert_true(argv->len > 100);
    g_ptr_array_add(argv, NULL);
    assert_true(g_spawn_sync(NULL, (char **)argv->pdata, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out,
                             &err, &status, NULL));
    assert_int_equal(status, 0);
    assert_string_equal(err, "");
}

static void test_cli_journal_rejected(void **state)
{
    static const struct {
        const char *line;
        int status;
        const char *says;
    } bad[] = {
        {"journal rejected --show 1/outrider-milter", 65, "NODE/PROGRAM/SEQ"},
        {"journal rejected --show x/outrider-milter/1", 65, "NODE/PROGRAM/SEQ"},
        {"journal rejected --show 1/outrider-milter/1", 69, "is not set aside"},
        {"journal rejected --limit 0", 65, "allowed are 1 to 1000"},
    };

    (void)state;
    g_free(mariadb_fixture_run(
        cli_server, "cli",
        "INSERT INTO event_rejected (node, program, epoch, seq, type, at, bytes, reason) VALUES "
        "(1, 'outrider-milter', '0123456789abcdef', 7, 2, 1795248000000000, '{\"id\":\"x\\n\"}', "
        "'id: must be a whole number'), (2, 'outrider-worker', '0123456789abcdef', 8, 4711, "
        "1795248000000001, REPEAT('y', 500), 'type: not known to this version')"));
    g_autofree char *list = run_good("journal rejected");
    assert_has(list, "1/outrider-milter/7  message.accepted  2026-11-21");
    assert_has(list, "id: must be a whole number");
    assert_true(strstr(list, "2/outrider-worker/8  type-4711") <
                strstr(list, "1/outrider-milter/7"));
    g_autofree char *one = run_good("journal rejected --show 2/outrider-worker/8");
    assert_int_equal(strspn(one, "y"), 500);
    g_autofree char *escaped = run_good("journal rejected --show 1/outrider-milter/7");
    assert_string_equal(escaped, "{\"id\":\"x\\x0a\"}\n");
    struct json_object *newest = run_json("--json journal rejected --limit 1");
    assert_int_equal(json_object_array_length(newest), 1);
    assert_int_equal(
        json_object_get_int(json_object_object_get(json_object_array_get_idx(newest, 0), "octets")),
        500);
    json_object_put(newest);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *out = NULL, *err = NULL;
        int status = run(bad[i].line, NULL, &out, &err);
        if (status != bad[i].status)
            fail_msg("%s: %d: %s", bad[i].line, status, err);
        assert_has(err, bad[i].says);
    }
}

/* postconf reads the lines without a warning, and sees the services and the lane. */
static void test_cli_postfix_lines_are_read(void **state)
{
    g_autofree char *postconf = g_find_program_in_path("postconf");
    g_autofree char *main_cf = g_build_filename(cli_dir, "postfix", "main.cf", NULL);
    g_autofree char *master_cf = g_build_filename(cli_dir, "postfix", "master.cf", NULL);
    g_autofree char *etc = g_build_filename(cli_dir, "postfix", NULL);
    g_autofree char *main_lines = run_good("postfix lines --main");
    g_autofree char *master_lines = run_good("postfix lines --master --plain-auth 127.0.0.1");
    g_autofree char *start = g_strconcat("compatibility_level = 3.6\n", main_lines, NULL);

    (void)state;
    assert_has(master_lines, "  -o inet_protocols=ipv4\n  -o inet_interfaces=192.0.2.1\n");
    assert_has(master_lines, "\n127.0.0.1:10026 inet n - y - 30 smtpd\n");
    if (!postconf)
        skip();
    assert_known_parameters(postconf, master_lines);
    g_mkdir_with_parents(etc, 0755);
    assert_true(g_file_set_contents(main_cf, start, -1, NULL));
    assert_true(g_file_set_contents(master_cf, master_lines, -1, NULL));
    for (int i = 0; i < 2; i++) {
        char *argv[] = {postconf, (char[]){"-c"}, etc, i ? (char[]){"-M"} : (char[]){"-n"}, NULL};
        g_autofree char *out = NULL, *err = NULL;
        int status = -1;
        assert_true(
            g_spawn_sync(NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out, &err, &status, NULL));
        assert_int_equal(status, 0);
        assert_string_equal(err, "");
        assert_has(out, i ? "outrider-ip1" : "lanes.regexp");
        assert_has(out, i ? "127.0.0.1:2525" : "enable_long_queue_ids = yes");
    }
}

static gint64 metric_of(const char *text, const char *name)
{
    g_autofree char *line = g_strdup_printf("\n%s ", name);
    const char *at = strstr(text, line);

    if (!at)
        fail_msg("%s is not in:\n%s", name, text);
    return g_ascii_strtoll(at + strlen(line), NULL, 10);
}

/* The host of these tests has a journal and a database, but no program runs. */
static void test_cli_status_finds_what_is_wrong(void **state)
{
    static const char *const parts[] = {
        "attention: socket milter: does not accept connections",
        "attention: worker: outrider-worker does not run",
        "attention: edge edge.5.db: cannot be used",
        "attention: journal milter: history is behind (backlog_seconds ", "  reachable  "};
    g_autofree char *out = NULL, *err = NULL, *series = NULL, *json = NULL;

    (void)state;
    assert_int_equal(run("status", NULL, &out, &err), 1);
    assert_string_equal(err, "");
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        assert_has(out, parts[i]);
    g_clear_pointer(&err, g_free);
    assert_int_equal(run("status --metrics", NULL, &series, &err), 1);
    assert_int_equal(metric_of(series, "outrider_database_reachable"), 1);
    assert_int_equal(metric_of(series, "outrider_journal_backlog_records{program=\"milter\"}"), 1);
    assert_has(series, "# TYPE outrider_journal_committed_total counter\n");
    assert_null(strstr(series, "outrider_edge_revision{"));
    g_clear_pointer(&err, g_free);
    assert_int_equal(run("--json status", NULL, &json, &err), 1);
    struct json_object *parsed = json_tokener_parse(json);
    struct json_object *milter =
        json_object_object_get(json_object_object_get(parsed, "journal"), "milter");
    assert_int_equal(json_object_get_int(json_object_object_get(milter, "committed_total")),
                     metric_of(series, "outrider_journal_committed_total{program=\"milter\"}"));
    assert_int_equal(json_object_array_length(json_object_object_get(parsed, "attention")),
                     metric_of(series, "outrider_attention"));
    json_object_put(parsed);
}

/* What needs MariaDB is left open, the rest is told. */
static void test_cli_status_without_database(void **state)
{
    g_autofree char *text = NULL, *out = NULL, *err = NULL;
    g_autofree char *file = g_build_filename(cli_dir, "away.conf", NULL);

    (void)state;
    assert_true(g_file_get_contents(cli_config_file, &text, NULL, NULL));
    g_autofree char *away =
        g_strdup_printf("%sdb_host = 127.0.0.1\nspool_min_free = 100000000G\n", text);
    g_autoptr(GString) changed = g_string_new(away);
    g_string_replace(changed, cli_server->socket, "/nonexistent/socket", 0);
    assert_true(g_file_set_contents(file, changed->str, -1, NULL));
    assert_int_equal(run("status --metrics -c %", file, &out, &err), 1);
    assert_int_equal(metric_of(out, "outrider_database_reachable"), 0);
    assert_int_equal(metric_of(out, "outrider_spool_refusing"), 1);
    assert_int_equal(metric_of(out, "outrider_journal_kept_records{program=\"milter\"}"), 1);
    assert_null(strstr(out, "outrider_journal_backlog_records{"));
    assert_null(strstr(out, "\noutrider_history_lag_seconds "));
    g_clear_pointer(&out, g_free);
    g_clear_pointer(&err, g_free);
    assert_int_equal(run("status -c %", file, &out, &err), 1);
    assert_has(out, "attention: database: MariaDB is not reachable: ");
    assert_has(out,
               "attention: spool: less than spool_min_free is free: new mail is answered 451\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cli_wrong),
        cmocka_unit_test(test_cli_help_names_all),
        cmocka_unit_test(test_cli_manual_is_current),
        cmocka_unit_test(test_cli_json_keys),
        cmocka_unit_test(test_cli_explain_timeline),
        cmocka_unit_test(test_cli_explain_hop),
        cmocka_unit_test(test_cli_address_says_what_to_do_next),
        cmocka_unit_test(test_cli_node_init_twice),
        cmocka_unit_test(test_cli_node_init_repairs_maps),
        cmocka_unit_test(test_cli_journal_cat),
        cmocka_unit_test(test_cli_journal_rejected),
        cmocka_unit_test(test_cli_status_finds_what_is_wrong),
        cmocka_unit_test(test_cli_status_without_database),
        cmocka_unit_test(test_cli_postfix_lines_are_read),
    };
    return cmocka_run_group_tests(tests, cli_fixture_start, cli_fixture_stop);
}
