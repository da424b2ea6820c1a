/* SPDX-License-Identifier: MIT */
#include "lib/edge/lane_served.h"

#include <glib/gstdio.h>

#include "lib/base/error.h"
#include "tests/lib/testing.h"

static void test_lane_served_parse_table(void **state)
{
    static const struct {
        const char *text;
        int n; /* -1: refused */
    } cases[] = {
        {"", 0},      {"# none\n", 0}, {"8\n3\n", 2},      {"# a\n\n4294967295", 1},
        {"0\n", -1},  {"-1\n", -1},    {"8 9\n", -1},      {"x\n", -1},
        {" 8\n", -1}, {"8\r\n", -1},   {"4294967296", -1}, {"0x8", -1},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        GError *error = NULL;
        g_autoptr(GArray) lanes = lane_served_parse(cases[i].text, &error);
        if ((lanes ? (int)lanes->len : -1) != cases[i].n)
            fail_msg("case %u: %d", i, lanes ? (int)lanes->len : -1);
        if (lanes)
            assert_no_error(error);
        else
            assert_error_code(error, INVALID);
    }
}

static void test_lane_served_render_reads_back(void **state)
{
    GError *error = NULL;
    g_autoptr(GArray) lanes = lane_served_parse("8\n3\n", &error);
    g_autofree char *text = lane_served_render(lanes);
    g_autoptr(GArray) again = lane_served_parse(text, &error);

    (void)state;
    assert_no_error(error);
    assert_true(lane_served_has(again, 3) && lane_served_has(again, 8));
    assert_false(lane_served_has(again, 4) || lane_served_has(again, 0));
    assert_true(lane_served_has(NULL, 4));
}

static void assert_now(LaneServed *served, gboolean known, guint32 lane)
{
    GError *error = NULL;
    g_autoptr(GArray) lanes = lane_served_now(served, &error);

    assert_no_error(error);
    assert_int_equal(lanes != NULL, known);
    assert_true(lane_served_has(lanes, lane));
}

static void test_lane_served_follows_the_file(void **state)
{
    GError *error = NULL;
    g_autofree char *dir = g_dir_make_tmp("outrider-served-XXXXXX", NULL);
    g_autofree char *below = g_build_filename(dir, "outrider", NULL);
    g_autofree char *path = g_build_filename(below, LANE_SERVED_FILE, NULL);
    g_autofree char *text =
        g_strdup_printf("postfix_config_dir = %s\nreturn_path_domain = rp.example\n", dir);
    g_autoptr(Config) config = config_parse("test", text, -1, &error);
    g_autoptr(LaneServed) served = lane_served_open(config);

    (void)state;
    assert_no_error(error);
    g_mkdir(below, 0755);
    assert_now(served, FALSE, 5);
    assert_true(g_file_set_contents(path, "5\n", -1, NULL));
    assert_now(served, TRUE, 5);
    assert_true(g_file_set_contents(path, "6\n", -1, NULL));
    assert_now(served, TRUE, 6);
    assert_true(g_file_set_contents(path, "six\n", -1, NULL));
    assert_null(lane_served_now(served, &error));
    assert_error_code(error, INVALID);
    g_unlink(path);
    assert_now(served, FALSE, 5);
    g_rmdir(below);
    g_rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lane_served_parse_table),
        cmocka_unit_test(test_lane_served_render_reads_back),
        cmocka_unit_test(test_lane_served_follows_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
