/* SPDX-License-Identifier: MIT */
/* The program itself: killed again and again while a journal grows, every delivery is there once. */
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/wait.h>

#include "lib/base/error.h"
#include "lib/journal/journal.h"
#include "tests/lib/database_fixture.h"
#include "tests/lib/testing.h"

#define DATABASE   "worker"
#define KILLS      8
#define PER_ROUND  500
#define WAIT_TRIES 300

static MariadbFixture *server;
static char *spool;
static char *configuration;

static GPid start_worker(void)
{
    char *argv[] = {(char[]){OUTRIDER_TEST_WORKER}, (char[]){"-c"}, configuration, NULL};
    GError *error = NULL;
    GPid pid = 0;

    g_spawn_async(NULL, argv, NULL,
                  G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL |
                      G_SPAWN_STDERR_TO_DEV_NULL,
                  NULL, NULL, &pid, &error);
    assert_no_error(error);
    return pid;
}

static int end_worker(GPid pid, int number)
{
    int status = -1;

    kill(pid, number);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void append_round(Journal *journal, guint round)
{
    for (guint i = 0; i < PER_ROUND; i++) {
        guint id = round * PER_ROUND + i + 1;
        g_autofree char *json = g_strdup_printf(
            "{\"id\":%u,\"server\":1,\"at\":1,\"attempt\":%u,\"status\":\"Sent\"}", id, id);
        const JournalEntry entry = {.type = EVENT_DELIVERY_ATTEMPT, .json = json, .length = -1};
        assert_true(journal_post(journal, &entry, 1, NULL));
    }
}

static gboolean wait_for(const char *query, const char *wanted)
{
    for (int i = 0; i < WAIT_TRIES; i++) {
        g_autofree char *got = mariadb_fixture_run(server, DATABASE, query);
        if (g_str_equal(g_strchomp(got), wanted))
            return TRUE;
        g_usleep(100 * 1000);
    }
    g_autofree char *last = mariadb_fixture_run(server, DATABASE, query);
    print_error("%s: %s, wanted %s\n", query, last, wanted);
    return FALSE;
}

static void test_worker_killed_again_and_again(void **state)
{
    g_autofree char *wanted = g_strdup_printf("%d", KILLS * PER_ROUND);
    g_autoptr(GRand) random = g_rand_new_with_seed(1);
    g_autoptr(GError) error = NULL;
    g_autoptr(Journal) journal = journal_open(spool, "outrider-milter", NULL, &error);

    (void)state;
    assert_no_error(error);
    /* One that was set aside long ago. */
    g_free(mariadb_fixture_run(server, DATABASE,
                               "INSERT INTO event_rejected VALUES (1, 'outrider-milter', "
                               "'0123456789abcdef', 1, 1, 1, 'x', 'y')"));
    g_free(mariadb_fixture_run(server, DATABASE,
                               "INSERT INTO credential_secret VALUES (1, REPEAT('a', 32), NULL, "
                               "REPEAT('b', 32), REPEAT('c', 32), 1, 0)"));
    for (guint round = 0; round < KILLS; round++) {
        GPid pid = start_worker();
        append_round(journal, round);
        g_usleep((gulong)g_rand_int_range(random, 1, 400) * 1000);
        end_worker(pid, SIGKILL);
    }
    GPid pid = start_worker();
    assert_true(wait_for("SELECT COUNT(*) FROM delivery", wanted));
    assert_true(wait_for("SELECT COUNT(*) FROM message WHERE status = 'Sent'", wanted));
    assert_true(wait_for("SELECT COUNT(*) FROM event_rejected", "0"));
    assert_true(wait_for("SELECT COUNT(*) FROM credential_secret WHERE old_key_hash IS NULL AND "
                         "old_cram_state IS NULL AND old_until IS NULL AND revision > 0",
                         "1"));
    assert_true(wait_for("SELECT COUNT(*) > 14 FROM information_schema.partitions WHERE "
                         "table_schema = DATABASE() AND table_name = 'message'",
                         "1"));
    assert_int_equal(end_worker(pid, SIGTERM), 0);
}

static void test_worker_second_instance_refused(void **state)
{
    GPid first = start_worker();
    int status = -1;

    (void)state;
    assert_true(wait_for("SELECT 1", "1"));
    for (int i = 0; i < WAIT_TRIES; i++) {
        g_autofree char *lock = g_build_filename(spool, "worker", "lock", NULL);
        g_autofree char *text = NULL;
        if (g_file_get_contents(lock, &text, NULL, NULL) &&
            g_ascii_strtoll(text, NULL, 10) == first)
            break;
        g_usleep(20 * 1000);
    }
    GPid second = start_worker();
    assert_int_equal(waitpid(second, &status, 0), second);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 0);
    assert_int_equal(end_worker(first, SIGTERM), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_worker_killed_again_and_again),
        cmocka_unit_test(test_worker_second_instance_refused),
    };

    spool = g_dir_make_tmp("outrider-spool-XXXXXX", NULL);
    g_autofree char *own = g_build_filename(spool, "worker", NULL);
    g_mkdir(own, 0700);
    server = mariadb_fixture_start();
    sql_close(database_fixture_open(server, DATABASE));
    configuration = g_build_filename(spool, "outrider.conf", NULL);
    g_autofree char *text =
        g_strdup_printf("return_path_domain = rp.example\nspool_dir = %s\n"
                        "edge_dir = %s\npostfix_config_dir = %s\nlane_reload = no\n"
                        "db_socket = %s\ndb_name = %s\ndb_user = root\n",
                        spool, spool, spool, server->socket, DATABASE);
    g_file_set_contents(configuration, text, -1, NULL);
    int status = cmocka_run_group_tests(tests, NULL, NULL);
    mariadb_fixture_stop(server);
    char *argv[] = {(char[]){"rm"}, (char[]){"-rf"}, (char[]){"--"}, spool, NULL};
    g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL);
    g_free(spool);
    g_free(configuration);
    return status;
}
