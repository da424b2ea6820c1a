/* SPDX-License-Identifier: MIT */
#include "worker/lanes.h"

#include <string.h>

#include "tests/lib/testing.h"

static char one[] = "[smart.test]:587";
static char two[] = "[other.test]:25";

#define TAIL           "/^[a-z2-7]{31}-[1-9][0-9]*@rp\\.example$/ retry:4.3.5 lane is not known yet\n"
#define WAIT           "retry:4.7.0 no address of the pool takes mail on this node"
#define WAY(lane, way) "/^[a-z2-7]{31}-" lane "@(rp\\.example|psrp\\.[a-z0-9.-]+)$/ " way "\n"
#define PART(lane, class, way)                                                                     \
    "/^[a-z2-7]{29}[" class "][a-z2-7]-" lane "@(rp\\.example|psrp\\.[a-z0-9.-]+)$/ " way "\n"
#define HALF_ONE "abcdefghijklmnop"
#define HALF_TWO "qrstuvwxyz234567"

/* lane, pool, weight, is_default, gone, served, next_hop, defer */
static const struct {
    EdgeLaneState lanes[5];
    const char *text;
} cases[] = {
    {{{0}}, ""},
    {{{8, 1, 100, TRUE, FALSE, TRUE, NULL, FALSE}}, WAY("8", "outrider-ip8:")},
    /* drained: what waits still leaves by it */
    {{{8, 1, 0, FALSE, FALSE, TRUE, NULL, FALSE}}, WAY("8", "outrider-ip8:")},
    /* gone, and nobody else: Postfix's default */
    {{{8, 1, 0, FALSE, TRUE, FALSE, NULL, FALSE}}, WAY("8", "DUNNO")},
    /* or it waits, if its pool wants that */
    {{{8, 1, 0, FALSE, TRUE, FALSE, NULL, TRUE}}, WAY("8", WAIT)},
    {{{8, 1, 100, FALSE, FALSE, FALSE, NULL, TRUE},
      {9, 2, 100, TRUE, FALSE, TRUE, NULL, FALSE},
      {10, 1, 0, FALSE, FALSE, TRUE, NULL, TRUE}},
     WAY("8", WAIT) WAY("9", "outrider-ip9:") WAY("10", "outrider-ip10:")},
    {{{8, 1, 100, FALSE, FALSE, FALSE, NULL, TRUE}, {9, 1, 100, FALSE, FALSE, TRUE, NULL, TRUE}},
     PART("8", HALF_ONE HALF_TWO, "outrider-ip9:") WAY("9", "outrider-ip9:")},
    /* not on this node: the others of the pool, as if it were gone */
    {{{8, 1, 50, FALSE, FALSE, FALSE, NULL, FALSE}, {9, 1, 1, FALSE, FALSE, TRUE, NULL, FALSE}},
     PART("8", HALF_ONE HALF_TWO, "outrider-ip9:") WAY("9", "outrider-ip9:")},
    /* by weight; other pools, drained ones and what is not served take nothing */
    {{{8, 1, 0, FALSE, TRUE, FALSE, NULL, FALSE},
      {9, 1, 10, FALSE, FALSE, TRUE, NULL, FALSE},
      {10, 1, 10, FALSE, FALSE, TRUE, NULL, FALSE},
      {11, 2, 100, TRUE, FALSE, TRUE, NULL, FALSE},
      {12, 1, 0, FALSE, FALSE, TRUE, NULL, FALSE}},
     PART("8", HALF_ONE, "outrider-ip9:") PART("8", HALF_TWO, "outrider-ip10:")
         WAY("9", "outrider-ip9:") WAY("10", "outrider-ip10:") WAY("11", "outrider-ip11:")
             WAY("12", "outrider-ip12:")},
    {{{3, 0, 0, FALSE, FALSE, TRUE, one, FALSE}}, WAY("3", "outrider-sh3:[smart.test]:587")},
    {{{3, 0, 0, FALSE, FALSE, FALSE, one, FALSE}}, WAY("3", "outrider-sh3:[smart.test]:587")},
    /* a smart host that is gone: the default one, else the default pool */
    {{{3, 0, 0, FALSE, TRUE, FALSE, NULL, FALSE},
      {4, 0, 0, TRUE, FALSE, TRUE, two, FALSE},
      {9, 1, 10, TRUE, FALSE, TRUE, NULL, FALSE}},
     PART("3", HALF_ONE HALF_TWO, "outrider-sh4:[other.test]:25")
         WAY("4", "outrider-sh4:[other.test]:25") WAY("9", "outrider-ip9:")},
    {{{3, 0, 0, FALSE, TRUE, FALSE, NULL, FALSE},
      {4, 0, 0, FALSE, FALSE, TRUE, two, FALSE},
      {9, 1, 10, TRUE, FALSE, TRUE, NULL, FALSE}},
     PART("3", HALF_ONE HALF_TWO, "outrider-ip9:") WAY("4", "outrider-sh4:[other.test]:25")
         WAY("9", "outrider-ip9:")},
};

static void test_lanes_render_table(void **state)
{
    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GArray) lanes = g_array_new(FALSE, TRUE, sizeof(EdgeLaneState));
        for (guint l = 0; l < 5 && cases[i].lanes[l].lane; l++)
            g_array_append_val(lanes, cases[i].lanes[l]);
        g_autofree char *text = lanes_render(lanes, "rp.example", "psrp", 10026);
        g_autofree char *end = g_strconcat("-0@rp\\.example$/ outrider-split:[127.0.0.1]:10026\n",
                                           cases[i].text, TAIL, NULL);
        if (!g_str_has_suffix(text, end))
            fail_msg("case %u:\n%s", i, text);
    }
}

/* However many heirs: each letter leads to one of them, once. */
static void test_lanes_render_shares_every_letter(void **state)
{
    static const guint counts[] = {1, 2, 3, 7, 31, 32, 33, 100};

    (void)state;
    for (guint c = 0; c < G_N_ELEMENTS(counts); c++) {
        g_autoptr(GArray) lanes = g_array_new(FALSE, TRUE, sizeof(EdgeLaneState));
        for (guint i = 0; i <= counts[c]; i++) {
            EdgeLaneState lane = {
                .lane = i + 1, .pool = 1, .weight = 1 + i % 100, .gone = i == 0, .served = i > 0};
            g_array_append_val(lanes, lane);
        }
        g_autofree char *text = lanes_render(lanes, "rp.example", "psrp", 10026);
        for (const char *letter = HALF_ONE HALF_TWO; *letter; letter++) {
            g_autofree char *token =
                g_strdup_printf("%.29s%ca-1@%s", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", *letter,
                                c % 2 ? "rp.example" : "psrp.acme.test");
            g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
            guint found = 0;
            for (guint l = 0; lines[l]; l++) {
                char *slash = strchr(lines[l], ' ');
                if (lines[l][0] != '/' || !strstr(lines[l], "outrider-ip"))
                    continue;
                g_autofree char *pattern = g_strndup(lines[l] + 1, (gsize)(slash - lines[l]) - 2);
                found += g_regex_match_simple(pattern, token, 0, 0);
            }
            assert_int_equal(found, 1);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lanes_render_table),
        cmocka_unit_test(test_lanes_render_shares_every_letter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
