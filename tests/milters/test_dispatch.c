/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/mime/field.h"
#include "lib/seal/return_path.h"
#include "milters/dispatch.h"
#include "milters/edit.h"
#include "tests/lib/testing.h"

static char acme_test[] = "acme.test";

static void test_decide_hold_and_signer(void **state)
{
    (void)state;
    static const EdgeDomain own = {4, acme_test, NULL};
    static const struct {
        EdgeCredential credential;
        const EdgeDomain *domain;
        const char *from;
        gboolean keys;
        const char *held; /* the rule */
        guint32 signer;
    } cases[] = {
        {{.id = 7}, &own, "acme.test", TRUE, NULL, 4},
        {{.id = 7}, &own, "acme.test", FALSE, NULL, 0},
        {{.id = 7}, &own, "foreign.test", TRUE, NULL, 0},
        {{.id = 7}, &own, "a.b.ACME.test", TRUE, NULL, 4},
        {{.id = 7}, &own, "xacme.test", TRUE, NULL, 0},
        {{.id = 7}, &own, "test", TRUE, NULL, 0},
        {{.id = 7}, NULL, "acme.test", TRUE, NULL, 0},
        {{.id = 7, .hold = TRUE}, &own, "acme.test", TRUE, "credential", 4},
        {{.id = 7, .development = TRUE}, &own, "acme.test", TRUE, "development", 4},
        {{.id = 7, .hold = TRUE, .development = TRUE}, &own, "acme.test", TRUE, "credential", 4},
        {{.id = 7, .hold = TRUE, .server_suspended = TRUE},
         &own,
         "acme.test",
         TRUE,
         "suspended",
         4},
        {{.id = 7, .server_suspended = TRUE}, &own, "acme.test", TRUE, "suspended", 4},
        {{.id = 7, .organization_suspended = TRUE}, &own, "acme.test", TRUE, "suspended", 4},
    };
    g_autoptr(GArray) lanes = g_array_new(FALSE, TRUE, sizeof(EdgeLane));

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        DispatchFacts facts = {.id = 1,
                               .credential = &cases[i].credential,
                               .lanes = lanes,
                               .domain = cases[i].domain,
                               .from_domain = cases[i].from,
                               .domain_has_keys = cases[i].keys};
        DispatchVerdict verdict = dispatch_decide(&facts);
        if (verdict.sign_domain != cases[i].signer ||
            g_strcmp0(verdict.hold_rule, cases[i].held) != 0 ||
            (verdict.hold != NULL) != (cases[i].held != NULL))
            fail_msg("case %u: %s", i, verdict.hold_rule ? verdict.hold_rule : "not held");
        assert_int_equal(verdict.lane, 0);
        assert_null(verdict.lane_note);
    }
}

static void test_dispatch_return_path(void **state)
{
    static char psrp[] = "psrp", other[] = "other";
    g_autofree char *endless = g_strnfill(RETURN_PATH_DOMAIN_MAX - 4, 'a');
    const struct {
        EdgeDomain domain;
        const char *wanted;
    } cases[] = {
        {{4, acme_test, psrp}, "psrp.acme.test"},
        {{4, acme_test, NULL}, "rp.example"},
        {{4, acme_test, other}, "rp.example"},
        {{4, endless, psrp}, "rp.example"},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *host = dispatch_return_path(&cases[i].domain, "psrp", "rp.example");
        assert_string_equal(host, cases[i].wanted);
    }
}

static void test_decide_suppressed(void **state)
{
    (void)state;
    static const struct {
        EdgeCredential credential;
        const char *held; /* the rule */
        gboolean refused, would_hold, would_refuse;
    } cases[] = {
        {{.id = 7}, "suppressed", FALSE, FALSE, FALSE},
        {{.id = 7, .development = TRUE}, "suppressed", FALSE, FALSE, FALSE},
        {{.id = 7, .hold = TRUE}, "credential", FALSE, FALSE, FALSE},
        {{.id = 7, .server_suspended = TRUE, .refuse_suppressed = TRUE},
         "suspended",
         FALSE,
         FALSE,
         FALSE},
        {{.id = 7, .hold = TRUE, .refuse_suppressed = TRUE}, "credential", FALSE, FALSE, FALSE},
        {{.id = 7, .refuse_suppressed = TRUE}, NULL, TRUE, FALSE, FALSE},
        {{.id = 7, .refuse_suppressed = TRUE, .development = TRUE}, NULL, TRUE, FALSE, FALSE},
        {{.id = 7, .shadow = TRUE}, NULL, FALSE, TRUE, FALSE},
        {{.id = 7, .shadow = TRUE, .refuse_suppressed = TRUE}, NULL, FALSE, FALSE, TRUE},
    };
    static const char why[] = "a@b.test is suppressed";
    g_autoptr(GArray) lanes = g_array_new(FALSE, TRUE, sizeof(EdgeLane));

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const DispatchFacts facts = {.id = 1,
                                     .credential = &cases[i].credential,
                                     .lanes = lanes,
                                     .from_domain = "x",
                                     .suppressed = why};
        DispatchVerdict verdict = dispatch_decide(&facts);
        if (g_strcmp0(verdict.hold_rule, cases[i].held) != 0)
            fail_msg("case %u: %s", i, verdict.hold_rule ? verdict.hold_rule : "not held");
        if (g_strcmp0(cases[i].held, "suppressed") == 0)
            assert_ptr_equal(verdict.hold, why);
        assert_ptr_equal(verdict.refuse, cases[i].refused ? why : NULL);
        assert_ptr_equal(verdict.would_hold, cases[i].would_hold ? why : NULL);
        assert_ptr_equal(verdict.would_refuse, cases[i].would_refuse ? why : NULL);
    }
}

static void test_decide_drained_pool_is_said(void **state)
{
    (void)state;
    static const EdgeCredential credential = {.id = 7};
    g_autoptr(GArray) lanes = g_array_new(FALSE, TRUE, sizeof(EdgeLane));
    EdgeLane lane = {.lane = 3};

    g_array_append_val(lanes, lane);
    DispatchFacts facts = {.id = 1, .credential = &credential, .lanes = lanes, .from_domain = "x"};
    DispatchVerdict verdict = dispatch_decide(&facts);
    assert_int_equal(verdict.lane, 0);
    assert_non_null(verdict.lane_note);
}

static void test_tag_last_wins(void **state)
{
    (void)state;
    g_autoptr(GPtrArray) fields = mime_fields_new();

    assert_null(dispatch_tag(fields));
    mime_fields_add(fields, "X-Postal-Tag", " one");
    mime_fields_add(fields, "x-outrider-tag", " two ");
    g_autofree char *two = dispatch_tag(fields);
    assert_string_equal(two, "two");
    g_autofree char *word = g_strnfill(DISPATCH_TAG_MAX + 50, 'x');
    mime_fields_add(fields, "X-Postal-Tag", word);
    g_autofree char *cut = dispatch_tag(fields);
    assert_int_equal(strlen(cut), DISPATCH_TAG_MAX);
}

static char *joined(const GPtrArray *fields)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < fields->len; i++) {
        const MimeField *field = fields->pdata[i];
        g_string_append_printf(text, "%s:%s\n", field->name, field->value);
    }
    return g_string_free(text, FALSE);
}

static const DispatchStamp stamp = {
    .id = 42, .token = "TOKEN", .msgid = "TOKEN-SEALED", .hostname = "mx.test", .now = 1735689600};

static void test_edits_missing_and_strange(void **state)
{
    (void)state;
    g_autoptr(GPtrArray) fields = mime_fields_new();
    MimeWireSafe safe = {.changed = TRUE, .encoding = "quoted-printable"};
    const char *reason = NULL;

    mime_fields_add(fields, "x-outrider-msgid", " forged");
    mime_fields_add(fields, "From", " a@acme.test");
    mime_fields_add(fields, "X-Outrider-Tag", " t");
    mime_fields_add(fields, "X-Outrider-MsgID", "forged");
    mime_fields_add(fields, "X-OUTRIDER-LANE", " 1");
    mime_fields_add(fields, "x-amp", " skip");
    mime_fields_add(fields, "X-Outrider-Track", " none");
    mime_fields_add(fields, "X-AMP", " skip");
    g_autoptr(GPtrArray) edits = dispatch_edits(fields, &safe, &stamp, &reason);
    assert_null(reason);
    g_autofree char *text = joined(fields);
    assert_string_equal(text,
                        "X-Outrider-MsgID: TOKEN-SEALED\nFrom: a@acme.test\nX-Outrider-Tag: t\n"
                        "MIME-Version: 1.0\nContent-Transfer-Encoding: quoted-printable\n"
                        "Date: Wed, 01 Jan 2025 00:00:00 +0000\n"
                        "Message-ID: <42.TOKEN@mx.test>\n");
    static const struct {
        int kind;
        guint nth;
    } expected[] = {{EDIT_REMOVE, 2}, {EDIT_REMOVE, 1}, {EDIT_REMOVE, 1}, {EDIT_REMOVE, 1},
                    {EDIT_REMOVE, 2}, {EDIT_REMOVE, 1}, {EDIT_APPEND, 0}, {EDIT_APPEND, 0},
                    {EDIT_APPEND, 0}, {EDIT_APPEND, 0}, {EDIT_INSERT, 0}};
    assert_int_equal(edits->len, G_N_ELEMENTS(expected));
    for (guint i = 0; i < edits->len; i++) {
        assert_int_equal(((Edit *)edits->pdata[i])->kind, expected[i].kind);
        assert_int_equal(((Edit *)edits->pdata[i])->nth, expected[i].nth);
    }
}

static void test_edits_leave_what_is_there(void **state)
{
    (void)state;
    g_autoptr(GPtrArray) fields = mime_fields_new();
    MimeWireSafe safe = {0};
    const char *reason = NULL;

    mime_fields_add(fields, "message-id", " <x@y>");
    mime_fields_add(fields, "DATE", " whenever");
    g_autoptr(GPtrArray) edits = dispatch_edits(fields, &safe, &stamp, &reason);
    assert_int_equal(edits->len, 1);
    assert_int_equal(fields->len, 3);
}

static void test_edits_odd_blanks_of_signed_fields(void **state)
{
    (void)state;
    g_autoptr(GPtrArray) fields = mime_fields_new();
    MimeWireSafe safe = {0};
    const char *reason = NULL;

    mime_fields_add(fields, "Date", " x");
    mime_fields_add(fields, "Subject", "\va\f\vb\x01\tc\f");
    mime_fields_add(fields, "X-Other", " a\vb");
    mime_fields_add(fields, "References", " <a>\n\f<b>");
    mime_fields_add(fields, "References", " <c>\v<d>");
    mime_fields_add(fields, "Message-ID", " x");
    g_autoptr(GPtrArray) edits = dispatch_edits(fields, &safe, &stamp, &reason);
    g_autofree char *text = joined(fields);
    assert_string_equal(text, "X-Outrider-MsgID: TOKEN-SEALED\nDate: x\nSubject: a  b\x01\tc \n"
                              "X-Other: a\vb\nReferences: <a>\n <b>\nReferences: <c> <d>\n"
                              "Message-ID: x\n");
    assert_int_equal(edits->len, 4);
    assert_int_equal(((const Edit *)edits->pdata[2])->nth, 2);
}

static void test_edits_hide_client(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {" from x (y [192.0.2.7])\n\tby mx.test; now", "Received: by mx.test; now\n"},
        {" from x (y [192.0.2.7]) by mx.test; now", ""}};
    DispatchStamp hiding = stamp;
    MimeWireSafe safe = {0};
    const char *reason = NULL;

    hiding.hide_client = TRUE;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) fields = mime_fields_new();
        mime_fields_add(fields, "Received", cases[i][0]);
        mime_fields_add(fields, "Received", " from elsewhere");
        mime_fields_add(fields, "Date", " x");
        mime_fields_add(fields, "Message-ID", " x");
        g_autoptr(GPtrArray) edits = dispatch_edits(fields, &safe, &hiding, &reason);
        g_autofree char *text = joined(fields);
        g_autofree char *wanted =
            g_strconcat("X-Outrider-MsgID: TOKEN-SEALED\n", cases[i][1],
                        "Received: from elsewhere\nDate: x\nMessage-ID: x\n", NULL);
        assert_string_equal(text, wanted);
    }
    g_autoptr(GPtrArray) none = mime_fields_new();
    g_autoptr(GPtrArray) edits = dispatch_edits(none, &safe, &hiding, &reason);
    assert_int_equal(mime_fields_count(none, "Received"), 0);
}

static void test_feedback_parts(void **state)
{
    (void)state;
    char organization[] = "acme", server[] = "main";
    const EdgeCredential credential = {.organization_permalink = organization,
                                       .server_permalink = server};
    g_autofree char *untagged = dispatch_feedback(NULL, &credential, "sender1");
    g_autofree char *odd = dispatch_feedback("n:e\xc3\xa9 w", &credential, "sender1");

    assert_string_equal(untagged, "none:main:acme:sender1");
    assert_string_equal(odd, "n_e___w:main:acme:sender1");
    assert_null(dispatch_feedback("t", &credential, ""));
}

static void test_edits_feedback_when_missing(void **state)
{
    (void)state;
    g_autoptr(GPtrArray) fields = mime_fields_new();
    DispatchStamp fed = stamp;
    MimeWireSafe safe = {0};
    const char *reason = NULL;

    fed.feedback = "none:main:acme:sender1";
    g_autoptr(GPtrArray) edits = dispatch_edits(fields, &safe, &fed, &reason);
    assert_string_equal(mime_fields_nth(fields, "Feedback-ID", 1), " none:main:acme:sender1");
    g_autoptr(GPtrArray) own = mime_fields_new();
    mime_fields_add(own, "feedback-id", " a:b:c:d");
    g_autoptr(GPtrArray) others = dispatch_edits(own, &safe, &fed, &reason);
    assert_int_equal(mime_fields_count(own, "Feedback-ID"), 1);
}

/* A client's own is a forgery only where it would stand beside ours. */
static void test_edits_postal_id(void **state)
{
    (void)state;
    static const char *const expected[] = {
        "X-Outrider-MsgID: TOKEN-SEALED\nX-POSTAL-MsgID: theirs\nX-Postal-Tag: t\n"
        "Date: x\nX-Postal-MsgID: theirs\nMessage-ID: x\n",
        "X-Outrider-MsgID: TOKEN-SEALED\nX-Postal-MsgID: TOKEN\nX-Postal-Tag: t\nDate: x\n"
        "Message-ID: x\n"};

    for (guint postal = 0; postal < 2; postal++) {
        g_autoptr(GPtrArray) fields = mime_fields_new();
        DispatchStamp own = stamp;
        MimeWireSafe safe = {0};
        const char *reason = NULL;
        own.postal = postal != 0;
        mime_fields_add(fields, "X-POSTAL-MsgID", " theirs");
        mime_fields_add(fields, "X-Postal-Tag", " t");
        mime_fields_add(fields, "Date", " x");
        mime_fields_add(fields, "X-Postal-MsgID", " theirs");
        mime_fields_add(fields, "Message-ID", " x");
        g_autoptr(GPtrArray) edits = dispatch_edits(fields, &safe, &own, &reason);
        g_autofree char *text = joined(fields);
        assert_string_equal(text, expected[postal]);
        assert_int_equal(edits->len, postal ? 4 : 1);
    }
}

static void test_edits_fold_long(void **state)
{
    (void)state;
    g_autoptr(GPtrArray) fields = mime_fields_new();
    g_autofree char *word = g_strnfill(700, 'x');
    g_autofree char *two = g_strdup_printf(" %s %s", word, word);
    g_autofree char *one = g_strdup_printf(" %s%s", word, word);
    MimeWireSafe safe = {0};
    const char *reason = NULL;

    mime_fields_add(fields, "Date", " x");
    mime_fields_add(fields, "Message-ID", " x");
    mime_fields_add(fields, "X-A", " short");
    mime_fields_add(fields, "X-A", two);
    g_autoptr(GPtrArray) edits = dispatch_edits(fields, &safe, &stamp, &reason);
    assert_null(reason);
    assert_int_equal(edits->len, 2);
    const Edit *edit = edits->pdata[0];
    assert_int_equal(edit->kind, EDIT_CHANGE);
    assert_int_equal(edit->nth, 2);
    assert_non_null(strchr(edit->value, '\n'));
    mime_fields_add(fields, "X-B", one);
    g_autoptr(GPtrArray) more = dispatch_edits(fields, &safe, &stamp, &reason);
    assert_non_null(reason);
    assert_int_equal(more->len, 2); /* its own header is a stranger's now */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decide_hold_and_signer),
        cmocka_unit_test(test_decide_suppressed),
        cmocka_unit_test(test_decide_drained_pool_is_said),
        cmocka_unit_test(test_dispatch_return_path),
        cmocka_unit_test(test_tag_last_wins),
        cmocka_unit_test(test_edits_missing_and_strange),
        cmocka_unit_test(test_edits_leave_what_is_there),
        cmocka_unit_test(test_edits_odd_blanks_of_signed_fields),
        cmocka_unit_test(test_edits_hide_client),
        cmocka_unit_test(test_edits_feedback_when_missing),
        cmocka_unit_test(test_feedback_parts),
        cmocka_unit_test(test_edits_postal_id),
        cmocka_unit_test(test_edits_fold_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
