/* SPDX-License-Identifier: MIT */
/* What the log says of mail that is held: by the milter, or by an admin. */
#include "tests/lib/testing.h"
#include "tests/worker/follower_world.h"

#define QUEUED    "message.queued\n"
#define HELD      "message.queued Held\n"
#define RELEASED  "hold.released\n"
#define CANCELLED "hold.cancelled\n"
#define REMOVED   "message.removed\n"
#define SENT(w)   "delivery.attempt Sent 250 2.0.0 " w " 192.0.2.12\n"

static void say_milter_hold(World *world, const char *queue_id)
{
    world_say(world,
              "postfix/outrider-submit/cleanup[7]: %s: milter-hold: END-OF-MESSAGE from "
              "c[192.0.2.9]: milter triggers HOLD action; from=<%s> to=<x@ok.test> proto=ESMTP",
              queue_id, world->sender);
}

static void say_postsuper(World *world, const char *queue_id, const char *what)
{
    world_say(world, "postfix/postsuper[8]: %s: %s", queue_id, what);
}

static void test_held_and_released_are_said_once(void **state)
{
    World *world = *state;

    world_accept(world, "4jWn6HSSBz8Y");
    say_milter_hold(world, "4jWn6HSSBz8Y");
    say_postsuper(world, "4jWn6HSSBz8Y", "placed on hold"); /* once more */
    say_postsuper(world, "4jWn6HSSBz8Y", "released from hold");
    for (guint i = 0; i < 3; i++)
        world_say_queued(world, "4jWn6HSSBz8Y", world->sender);
    world_follow(world);
    world_assert_events(world, HELD RELEASED QUEUED);
}

static void test_a_release_that_the_log_lost_is_seen(void **state)
{
    World *world = *state;

    world_accept(world, "4jWn6HSSCz8Y");
    say_milter_hold(world, "4jWn6HSSCz8Y");
    world_say_queued(world, "4jWn6HSSCz8Y", world->sender);
    say_postsuper(world, "4jWn6HSSCz8Y", "placed on hold");
    world_restart(world);
    world_say_queued(world, "4jWn6HSSCz8Y", world->sender);
    world_say_sent(world, "4jWn6HSSCz8Y", "at last");
    world_follow(world);
    world_assert_events(world, HELD RELEASED QUEUED HELD RELEASED SENT("at last"));
}

/* What was under way when it was held may still be told. */
static void test_a_delivery_is_no_release(void **state)
{
    World *world = *state;

    world_accept(world, "4jWn6HSSDz8Y");
    world_say_queued(world, "4jWn6HSSDz8Y", world->sender);
    say_postsuper(world, "4jWn6HSSDz8Y", "placed on hold");
    world_say_sent(world, "4jWn6HSSDz8Y", "under way");
    world_follow(world);
    world_assert_events(world, QUEUED HELD SENT("under way"));
}

static void test_deleted_while_held_is_cancelled(void **state)
{
    World *world = *state;

    world_accept(world, "4jWn6HSSFz8Y");
    say_milter_hold(world, "4jWn6HSSFz8Y");
    say_postsuper(world, "4jWn6HSSFz8Y", "removed");
    world_say_queued(world, "4jWn6HSSFz8Y", "someone@else.test");
    say_postsuper(world, "4jWn6HSSFz8Y", "removed");
    world_follow(world);
    world_assert_events(world, HELD CANCELLED REMOVED);
}

static void test_deleted_after_a_release_is_removed_only(void **state)
{
    World *world = *state;

    world_accept(world, "4jWn6HSSGz8Y");
    say_milter_hold(world, "4jWn6HSSGz8Y");
    say_postsuper(world, "4jWn6HSSGz8Y", "released from hold");
    say_postsuper(world, "4jWn6HSSGz8Y", "removed");
    world_follow(world);
    world_assert_events(world, HELD RELEASED REMOVED);
}

static void test_holds_of_others_are_ignored(void **state)
{
    World *world = *state;

    say_postsuper(world, "4jWn6HSSHz8Y", "placed on hold");
    say_postsuper(world, "4jWn6HSSHz8Y", "released from hold");
    say_postsuper(world, "4jWn6HSSHz8Y", "removed");
    world_accept(world, "51FC7A9A54D");
    world_say_queued(world, "51FC7A9A54D", world->sender);
    world_say_queued(world, "51FC7A9A54D", "someone@else.test"); /* has the queue id now */
    say_postsuper(world, "51FC7A9A54D", "placed on hold");
    say_postsuper(world, "51FC7A9A54D", "removed");
    world_follow(world);
    world_assert_events(world, QUEUED);
}

/* postsuper -r takes mail from hold, too, under another queue id. */
static void test_a_requeued_message_is_not_on_hold(void **state)
{
    World *world = *state;

    world_accept(world, "51FC7A9A54E");
    say_milter_hold(world, "51FC7A9A54E");
    say_postsuper(world, "51FC7A9A54E", "requeued");
    world_say(world, "postfix/pickup[8]: 51FC7A9A54F: uid=103 from=<%s> orig_id=51FC7A9A54E",
              world->sender);
    world_say_queued(world, "51FC7A9A54F", world->sender);
    world_follow(world);
    world_assert_events(world, HELD RELEASED "message.queued true 51FC7A9A54E\n");
}

/* The follower did not see the hold, or has lost its book; the queue tells. */
static void test_deleted_after_the_queue_told_of_the_hold(void **state)
{
    World *world = *state;
    const QueueEntry entry = {.id = WORLD_ID, .server = 1, .said = QUEUE_SAID_HELD};
    const QueueFound found[] = {
        {.queue_id = "4jWn6HSSJz8Y", .message = WORLD_ID, .entry = entry},
        {.queue_id = "4jWn6HSSKz8Y", .message = WORLD_ID, .entry = entry},
    };
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(QueueFound));

    world_accept(world, "4jWn6HSSJz8Y");
    world_say_queued(world, "4jWn6HSSJz8Y", world->sender);
    world_follow(world);
    g_array_append_vals(list, found, G_N_ELEMENTS(found));
    mail_follower_learn(world->follower, list);
    world_follow(world);
    say_postsuper(world, "4jWn6HSSJz8Y", "removed");
    say_postsuper(world, "4jWn6HSSKz8Y", "removed");
    world_follow(world);
    world_assert_events(world, QUEUED CANCELLED REMOVED CANCELLED REMOVED);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_held_and_released_are_said_once),
        CASE(test_a_release_that_the_log_lost_is_seen),
        CASE(test_a_delivery_is_no_release),
        CASE(test_deleted_while_held_is_cancelled),
        CASE(test_deleted_after_a_release_is_removed_only),
        CASE(test_holds_of_others_are_ignored),
        CASE(test_a_requeued_message_is_not_on_hold),
        CASE(test_deleted_after_the_queue_told_of_the_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
