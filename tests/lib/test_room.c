/* SPDX-License-Identifier: MIT */
#include "lib/base/room.h"
#include "tests/lib/testing.h"

static void test_room_one_holder_has_half(void **state)
{
    Room room;

    (void)state;
    room_begin(&room, 10);
    assert_false(room_has(&room, 1, 6));
    assert_true(room_has(&room, 1, 5));
    assert_true(room_take(&room, 1, 3));
    assert_true(room_take(&room, 1, 2));
    assert_false(room_take(&room, 1, 1));
    assert_true(room_take(&room, 2, 4));
    assert_false(room_take(&room, 2, 2)); /* would be beyond all that there is */
    room_give(&room, 1, 2);
    assert_true(room_take(&room, 1, 2));
    room_give(&room, 1, 5);
    room_give(&room, 2, 4);
    assert_true(room_has(&room, 0, 10));
    room_end(&room);
}

static void test_room_nobody_in_particular_has_all(void **state)
{
    Room room;

    (void)state;
    room_begin(&room, 10);
    assert_false(room_take(&room, 0, 11));
    assert_true(room_take(&room, 0, 9));
    assert_true(room_take(&room, 1, 1));
    assert_false(room_take(&room, 1, 1));
    assert_true(room_take(&room, 1, 0));
    room_give(&room, 0, 9);
    assert_true(room_take(&room, 1, 4));
    room_give(&room, 1, 5);
    room_end(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_room_one_holder_has_half),
        cmocka_unit_test(test_room_nobody_in_particular_has_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
