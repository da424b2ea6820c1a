/* SPDX-License-Identifier: MIT */
#include "lib/mailauth/spf.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/mailauth/published_record.h"
#include "tests/lib/testing.h"

/* The world: a name may stand here more than once. */
static const struct {
    const char *name, *record;
} zone[] = {
    {"ours.example", "v=spf1 include:rp.example ~all"},
    {"deep.example", "v=spf1 a include:ours.example -all"},
    {"deeper.example", "v=spf1 redirect=deep.example"},
    {"refuses.example", "v=spf1 -include:rp.example +all"},
    {"other.example", "v=spf1 ip4:192.0.2.1 -all"},
    {"open.example", "v=spf1 ip4:192.0.2.1"},
    {"noted.example", "a note"},
    {"noted.example", "v=spf1 include:rp.example"},
    {"only-noted.example", "a note"},
    {"twice.example", "v=spf1 include:rp.example"},
    {"twice.example", "v=spf1 -all"},
    {"loop.example", "v=spf1 include:loop.example include:rp.example2"},
    {"here.example", "v=spf1 redirect=there.example"},
    {"there.example", "v=spf1 redirect=here.example"},
    {"wide.example", "v=spf1 a mx ptr exists:x.example a:b mx/24 include:rp.example"},
    {"xn--bcher-kva.example", "v=spf1 include:rp.example"},
};

static GPtrArray *look(const char *name, gpointer data, GError **error)
{
    g_autoptr(GPtrArray) records = g_ptr_array_new_with_free_func(g_free);

    ++*(guint *)data;
    if (g_str_equal(name, "away.example")) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE, "no answer");
        return NULL;
    }
    for (guint i = 0; i < G_N_ELEMENTS(zone); i++)
        if (g_str_equal(zone[i].name, name))
            g_ptr_array_add(records, g_strdup(zone[i].record));
    if (records->len)
        return g_steal_pointer(&records);
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND, "there is none");
    return NULL;
}

typedef struct {
    const char *text;
    SpfVerdict verdict;
    const char *why; /* a part of it */
    guint looks;
} Case;

static void assert_cases(const Case *cases, guint n)
{
    for (guint i = 0; i < n; i++) {
        g_autofree char *why = NULL;
        guint looks = 0;
        SpfVerdict verdict = spf_covers(cases[i].text, "rp.example", look, &looks, &why);
        if (verdict != cases[i].verdict || looks != cases[i].looks)
            fail_msg("%s: %d, %s, %u look-ups", cases[i].text, verdict, why, looks);
        assert_int_equal(why != NULL, verdict != SPF_COVERS);
        if (why && !strstr(why, cases[i].why))
            fail_msg("%s: %s instead of %s", cases[i].text, why, cases[i].why);
    }
}

/* What is said without a look at other records. */
static void test_spf_covers_itself(void **state)
{
    static const Case cases[] = {
        {"v=spf1 include:rp.example -all", SPF_COVERS, NULL, 0},
        {"v=spf1 a mx include:RP.example. ~all", SPF_COVERS, NULL, 0},
        {"V=SPF1 +include:rp.example", SPF_COVERS, NULL, 0},
        {"v=spf1 a redirect=rp.example", SPF_COVERS, NULL, 0},
        {"v=spf1 include:away.example include:rp.example -all", SPF_COVERS, NULL, 0},
        {"v=spf1", SPF_DIFFERS, "does not include", 0},
        {"v=spf1 a mx ~all", SPF_DIFFERS, "before `all'", 0},
        {"v=spf1 -all include:rp.example", SPF_DIFFERS, "before `all'", 0},
        {"v=spf1 all redirect=rp.example", SPF_DIFFERS, "before `all'", 0},
        {"v=spf1 redirect=rp.example -all", SPF_DIFFERS, "before `all'", 0},
        {"v=spf1 include:xrp.example ~all", SPF_DIFFERS, "xrp.example has no SPF record", 1},
        {"v=spf1 include:rp.example.com ~all", SPF_DIFFERS, "has no SPF record", 1},
        {"v=spf1 include:rp.exampl ~all", SPF_DIFFERS, "has no SPF record", 1},
        {"v=spf1 ~include:rp.example -all", SPF_DIFFERS, "not as a pass", 0},
        {"v=spf1 -include:rp.example", SPF_DIFFERS, "not as a pass", 0},
        {"v=spf10 include:rp.example", SPF_DIFFERS, "no SPF record", 0},
        {"spf2.0/pra include:rp.example", SPF_DIFFERS, "no SPF record", 0},
        {"", SPF_DIFFERS, "no SPF record", 0},
    };

    (void)state;
    assert_cases(cases, G_N_ELEMENTS(cases));
}

static void test_spf_covers_by_others(void **state)
{
    static const Case cases[] = {
        {"v=spf1 include:ours.example -all", SPF_COVERS, NULL, 1},
        {"v=spf1 include:OURS.example. -all", SPF_COVERS, NULL, 1},
        {"v=spf1 include:other.example include:open.example include:ours.example", SPF_COVERS, NULL,
         3},
        {"v=spf1 include:deep.example -all", SPF_COVERS, NULL, 2},
        {"v=spf1 redirect=deeper.example", SPF_COVERS, NULL, 3},
        {"v=spf1 include:noted.example", SPF_COVERS, NULL, 1},
        {"v=spf1 include:b\u00fccher.example", SPF_COVERS, NULL, 1},
        {"v=spf1 include:refuses.example include:ours.example -all", SPF_COVERS, NULL, 2},
        {"v=spf1 include:ours.example include:away.example", SPF_COVERS, NULL, 1},
        {"v=spf1 include:wide.example", SPF_COVERS, NULL, 1},
        {"v=spf1 include:%{d}.example include:ours.example", SPF_COVERS, NULL, 1},
        {"v=spf1 include:other.example -all", SPF_DIFFERS, "before `all'", 1},
        {"v=spf1 include:open.example", SPF_DIFFERS, "does not include", 1},
        {"v=spf1 redirect=refuses.example", SPF_DIFFERS, "not as a pass", 1},
        {"v=spf1 redirect=other.example", SPF_DIFFERS, "before `all'", 1},
        {"v=spf1 ?include:ours.example include:rp.exampl", SPF_DIFFERS, "not as a pass", 1},
        {"v=spf1 -all include:ours.example", SPF_DIFFERS, "before `all'", 0},
        {"v=spf1 include:none.example include:ours.example", SPF_DIFFERS, "none.example has no", 1},
        {"v=spf1 redirect=none.example", SPF_DIFFERS, "none.example has no", 1},
        {"v=spf1 include:only-noted.example", SPF_DIFFERS, "has no SPF record", 1},
        {"v=spf1 include:twice.example", SPF_DIFFERS, "several SPF records", 1},
        {"v=spf1 include: -all", SPF_DIFFERS, "no domain", 0},
        {"v=spf1 include:a..example", SPF_DIFFERS, "no domain", 0},
        {"v=spf1 include:%{d}.example -all", SPF_DIFFERS, "before `all'", 0},
    };

    (void)state;
    assert_cases(cases, G_N_ELEMENTS(cases));
}

/* What nobody could answer is not called wrong. */
static void test_spf_covers_unknown(void **state)
{
    static const Case cases[] = {
        {"v=spf1 include:away.example -all", SPF_UNKNOWN, "away.example: no answer", 1},
        {"v=spf1 redirect=away.example", SPF_UNKNOWN, "no answer", 1},
        {"v=spf1 include:other.example include:away.example include:ours.example", SPF_UNKNOWN,
         "no answer", 2},
    };

    (void)state;
    assert_cases(cases, G_N_ELEMENTS(cases));
}

static void test_spf_covers_limits(void **state)
{
    static const Case cases[] = {
        {"v=spf1 include:loop.example -all", SPF_DIFFERS, "more than 10", SPF_LOOKUPS_MAX},
        {"v=spf1 redirect=here.example", SPF_DIFFERS, "more than 10", SPF_LOOKUPS_MAX},
        {"v=spf1 a a a a a a a a a include:rp.example", SPF_COVERS, NULL, 0},
        {"v=spf1 a a a a a a a a a a include:rp.example", SPF_DIFFERS, "more than 10", 0},
        {"v=spf1 a a a a a a a a a a redirect=rp.example", SPF_DIFFERS, "more than 10", 0},
        {"v=spf1 a mx include:wide.example", SPF_COVERS, NULL, 1},
        {"v=spf1 a mx ptr include:wide.example", SPF_DIFFERS, "more than 10", 1},
        {"v=spf1 a mx ptr a a a a a a a include:ours.example", SPF_DIFFERS, "more than 10", 0},
    };
    g_autofree char *filler = g_strnfill(PUBLISHED_TEXT_MAX, 'x');
    g_autofree char *text = g_strconcat("v=spf1 include:rp.example exp=", filler, NULL);
    const Case long_text = {text, SPF_DIFFERS, "longer than 4096", 0};

    (void)state;
    assert_cases(cases, G_N_ELEMENTS(cases));
    assert_cases(&long_text, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spf_covers_itself),
        cmocka_unit_test(test_spf_covers_by_others),
        cmocka_unit_test(test_spf_covers_unknown),
        cmocka_unit_test(test_spf_covers_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
