/* SPDX-License-Identifier: MIT */
#include "milters/edit.h"

#include "lib/mime/field.h"
#include "tests/lib/testing.h"

/* "To: a|Cc: b" as fields; values without a space before them. */
static GPtrArray *fields_of(const char *text)
{
    GPtrArray *fields = mime_fields_new();
    g_auto(GStrv) lines = g_strsplit(text, "|", -1);

    for (guint i = 0; lines[i]; i++) {
        g_auto(GStrv) pair = g_strsplit(lines[i], ":", 2);
        mime_fields_add(fields, pair[0], pair[1]);
    }
    return fields;
}

static void assert_fields(const GPtrArray *fields, const char *wanted)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < fields->len; i++) {
        const MimeField *field = fields->pdata[i];
        g_string_append_printf(text, "%s%s:%s", i ? "|" : "", field->name, field->value);
    }
    assert_string_equal(text->str, wanted);
}

static void assert_edit(const GPtrArray *edits, guint i, EditKind kind, const char *name, guint nth,
                        const char *value)
{
    const Edit *edit = edits->pdata[i];

    assert_int_equal(edit->kind, kind);
    assert_string_equal(edit->name, name);
    assert_int_equal(edit->nth, nth);
    assert_int_equal(g_strcmp0(edit->value, value), 0);
}

static void test_edit_is_noted_and_made(void **state)
{
    g_autoptr(GPtrArray) fields = fields_of("X:1|Y:2|x:3");
    g_autoptr(GPtrArray) edits = edits_new();

    (void)state;
    edit_insert(edits, fields, "A", " a");
    edit_append(edits, fields, "B", " b");
    edit_change(edits, fields, "X", 2, " c");
    edit_remove(edits, fields, "Y", 1);
    assert_fields(fields, "A: a|X:1|x: c|B: b");
    assert_int_equal(edits->len, 4);
    assert_edit(edits, 0, EDIT_INSERT, "A", 0, " a");
    assert_edit(edits, 1, EDIT_APPEND, "B", 0, " b");
    assert_edit(edits, 2, EDIT_CHANGE, "X", 2, " c");
    assert_edit(edits, 3, EDIT_REMOVE, "Y", 1, NULL);
}

static gboolean is_short(const char *name)
{
    return name[1] == '\0';
}

/* The numbers hold at the moment of each edit, and a name may be that of the field that goes. */
static void test_edit_remove_from_the_last(void **state)
{
    g_autoptr(GPtrArray) fields = fields_of("X:1|Yy:2|x:3|Z:4|X:5");
    g_autoptr(GPtrArray) edits = edits_new();

    (void)state;
    edit_remove_all(edits, fields, "none");
    assert_int_equal(edits->len, 0);
    edit_remove_those(edits, fields, is_short);
    assert_fields(fields, "Yy:2");
    assert_edit(edits, 0, EDIT_REMOVE, "X", 3, NULL);
    assert_edit(edits, 1, EDIT_REMOVE, "Z", 1, NULL);
    assert_edit(edits, 2, EDIT_REMOVE, "x", 2, NULL);
    assert_edit(edits, 3, EDIT_REMOVE, "X", 1, NULL);
    const MimeField *first = fields->pdata[0];
    edit_remove(edits, fields, first->name, 1);
    assert_edit(edits, 4, EDIT_REMOVE, "Yy", 1, NULL);
    assert_int_equal(fields->len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edit_is_noted_and_made),
        cmocka_unit_test(test_edit_remove_from_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
