/* SPDX-License-Identifier: MIT */
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/service/program.h"
#include "lib/service/rights.h"
#include "tests/lib/testing.h"

static void test_program_run_gives_input_and_output(void **state)
{
    (void)state;
    const char *const words[] = {"/bin/cat", NULL};
    g_autofree char *large = g_strnfill(200000, 'x'), *output = NULL;
    GError *error = NULL;

    assert_true(program_run(words, large, &output, &error));
    assert_no_error(error);
    assert_string_equal(output, large);
}

/* No shell, nothing of our environment, no files of ours. */
static void test_program_run_starts_clean(void **state)
{
    (void)state;
    const char *const env[] = {"/usr/bin/env", NULL};
    const char *const echo[] = {"/bin/echo", "$HOME;", "`id`", NULL};
    g_autofree char *variables = NULL, *said = NULL;

    g_setenv("OUTRIDER_TEST", "1", TRUE);
    assert_true(program_run(env, "", &variables, NULL));
    assert_string_equal(variables, "PATH=/usr/sbin:/usr/bin:/sbin:/bin\nLC_ALL=C\n");
    assert_true(program_run(echo, "", &said, NULL));
    assert_string_equal(said, "$HOME; `id`\n");
}

static void test_program_run_fails(void **state)
{
    (void)state;
    static const char *const cases[][4] = {
        {"/bin/false"}, {"/nonexistent/program"}, {"true"}, {"/"}, {"/bin/sh", "-c", "kill -9 $$"}};

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        char untouched[] = "untouched", *output = untouched;
        GError *error = NULL;
        assert_false(program_run(cases[i], "", &output, &error));
        assert_error_code(error, UNAVAILABLE);
        assert_ptr_equal(output, untouched);
    }
}

/* In a process of its own: what is given up stays so. */
static void test_rights_keep_is_for_good(void **state)
{
    (void)state;
    if (geteuid() != 0 || prctl(PR_CAPBSET_READ, CAP_SETPCAP, 0, 0, 0) != 1)
        skip();
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        const guint64 kept = 1 << CAP_SETUID | 1 << CAP_SETGID;
        gboolean good = rights_keep(kept, NULL) && rights_keep(kept, NULL) &&
                        !rights_keep(kept | 1 << CAP_CHOWN, NULL) &&
                        prctl(PR_CAPBSET_READ, CAP_CHOWN, 0, 0, 0) == 0 &&
                        prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 && setuid(65534) == 0;
        _exit(good ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* Of somebody who has no rights to keep; root becomes one. */
static void test_rights_keep_refused(void **state)
{
    (void)state;
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        GError *error = NULL;
        gboolean good = (geteuid() != 0 || setuid(65534) == 0) &&
                        !rights_keep(1 << CAP_SETUID, &error) &&
                        g_error_matches(error, OUTRIDER_ERROR, OUTRIDER_ERROR_REFUSED);
        _exit(good ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* There and back again with the two capabilities only; group first on the way there. */
static void test_rights_become_there_and_back(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        gboolean good = rights_keep(1 << CAP_SETUID | 1 << CAP_SETGID, NULL);
        rights_become(65534, 65534);
        good = good && geteuid() == 65534 && getegid() == 65534 && getuid() == 0;
        rights_become(0, getgid());
        good = good && geteuid() == 0 && getegid() == getgid();
        _exit(good ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_program_run_gives_input_and_output),
        cmocka_unit_test(test_program_run_starts_clean),
        cmocka_unit_test(test_program_run_fails),
        cmocka_unit_test(test_rights_keep_is_for_good),
        cmocka_unit_test(test_rights_keep_refused),
        cmocka_unit_test(test_rights_become_there_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
