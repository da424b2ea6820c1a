/* SPDX-License-Identifier: MIT */
#include "tests/cli/cli_fixture.h"

#include <string.h>

#include "tests/lib/testing.h"

#define WORDS_MAX 16

MariadbFixture *cli_server;
char *cli_dir;
char *cli_config_file;

int run(const char *line, const char *word, char **out, char **err)
{
    g_auto(GStrv) words = g_strsplit(line, " ", WORDS_MAX);
    char *argv[WORDS_MAX + 4] = {(char[]){OUTRIDER_TEST_CLI}, (char[]){"-c"}, cli_config_file};
    guint n = 3;
    int status = -1;
    g_autoptr(GError) error = NULL;

    for (guint i = 0; words[i]; i++)
        argv[n++] = g_str_equal(words[i], "%") ? (char *)(guintptr)word : words[i];
    if (!g_spawn_sync(NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, out, err, &status, &error))
        fail_msg("%s", error->message);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

char *run_good(const char *line)
{
    char *out = NULL;
    g_autofree char *err = NULL;

    if (run(line, NULL, &out, &err) != 0)
        fail_msg("%s: %s", line, err);
    return out;
}

struct json_object *run_json(const char *line)
{
    g_autofree char *out = run_good(line);
    struct json_object *parsed = json_tokener_parse(out);

    if (!parsed)
        fail_msg("%s: no JSON: %s", line, out);
    return parsed;
}

void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in:\n%s", part, text);
}

void assert_wrong(const char *line, const char *word, int status, const char *says)
{
    g_autofree char *out = NULL, *err = NULL;
    int got = run(line, word, &out, &err);

    if (got != status || !strstr(err, says))
        fail_msg("%s: status %d, said: %s", line, got, err);
    assert_string_equal(out, "");
    assert_ptr_equal(strchr(err, '\n'), err + strlen(err) - 1);
    assert_true(strlen(err) < 400);
    assert_null(strchr(err, '\x1b'));
}

int cli_fixture_start(void **state)
{
    static const char *const lines[] = {
        "db migrate --directory " OUTRIDER_TEST_SRCDIR "/conf/migrations",
        "installation init",
        "organization add acme",
        "pool add main --default",
        "address add main --ipv4 192.0.2.1 --helo out1.acme.test --force",
        "server add acme/main --pool main",
        "domain add acme acme.test",
        "credential add acme/main app",
    };

    (void)state;
    cli_server = mariadb_fixture_start();
    mariadb_fixture_database(cli_server, "cli");
    cli_dir = g_dir_make_tmp("outrider-cli-XXXXXX", NULL);
    cli_config_file = g_build_filename(cli_dir, "outrider.conf", NULL);
    g_autofree char *text = g_strdup_printf(
        "hostname = localhost.example\nreturn_path_domain = rp.example\nspool_dir = %s/spool\n"
        "edge_dir = %s/edge\nkey_dir = %s/keys\nsocket_dir = %s/queue/outrider\n"
        "postfix_config_dir = %s/postfix\ndb_socket = %s\ndb_name = cli\ndb_user = root\n",
        cli_dir, cli_dir, cli_dir, cli_dir, cli_dir, cli_server->socket);
    g_file_set_contents(cli_config_file, text, -1, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++)
        g_free(run_good(lines[i]));
    return 0;
}

int cli_fixture_stop(void **state)
{
    char *argv[] = {(char[]){"rm"}, (char[]){"-rf"}, (char[]){"--"}, cli_dir, NULL};

    (void)state;
    g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL);
    mariadb_fixture_stop(cli_server);
    g_free(cli_dir);
    g_free(cli_config_file);
    return 0;
}
