/* SPDX-License-Identifier: MIT */
#include "policyd/changes.h"
#include "tests/lib/testing.h"

typedef struct {
    GString *told;
    guint room;
} Reader;

static gboolean read_one(guint32 limit, gpointer data)
{
    Reader *reader = data;

    g_string_append_printf(reader->told, "%u ", limit);
    return --reader->room > 0;
}

/* Reads at most so many and compares; returns where to go on. */
static guint64 assert_read(const Changes *changes, guint64 after, guint room, const char *wanted)
{
    g_autoptr(GString) told = g_string_new(NULL);
    Reader reader = {told, room};
    guint64 next = changes_each(changes, after, read_one, &reader);

    assert_string_equal(told->str, wanted);
    return next;
}

static void test_changes_each_in_order_once(void **state)
{
    g_autoptr(Changes) changes = changes_new();

    (void)state;
    assert_int_equal(assert_read(changes, 0, 9, ""), 0);
    for (guint32 limit = 1; limit <= 5; limit++)
        changes_note(changes, limit);
    changes_note(changes, 2);
    changes_note(changes, 2);
    guint64 all = assert_read(changes, 0, 9, "1 3 4 5 2 ");
    assert_true(all == changes_newest(changes));
    assert_read(changes, all, 9, "");
    assert_read(changes, G_MAXUINT64, 9, "");
    guint64 part = assert_read(changes, 0, 2, "1 3 ");
    changes_note(changes, 1); /* while somebody is in the middle */
    part = assert_read(changes, part, 2, "4 5 ");
    part = assert_read(changes, part, 9, "2 1 ");
    assert_true(part == changes_newest(changes));
    /* Another reader is told all the same. */
    assert_read(changes, all, 9, "1 ");
}

static void test_changes_forget(void **state)
{
    g_autoptr(Changes) changes = changes_new();

    (void)state;
    for (guint32 limit = 1; limit <= 3; limit++)
        changes_note(changes, limit);
    changes_forget(changes, 3);
    changes_forget(changes, 99);
    /* Nothing is left to ask for, though the newest is gone. */
    guint64 all = assert_read(changes, 0, 9, "1 2 ");
    assert_true(all == changes_newest(changes));
    changes_note(changes, 3);
    assert_read(changes, all, 9, "3 ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changes_each_in_order_once),
        cmocka_unit_test(test_changes_forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
