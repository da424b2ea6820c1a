/* SPDX-License-Identifier: MIT */
/* What the log says of submissions that the hop splits, and of the messages it makes. */
#include <string.h>

#include "lib/base/id.h"
#include "tests/lib/testing.h"
#include "tests/worker/follower_world.h"
#include "worker/recipient_key.h"

#define FIRST "4jWn6HBBCz8Y"
#define MADE  "message.queued+1 true\n"

static char *submission; /* the sealed sender of the first pass */

static int setup(void **state)
{
    int result = world_setup(state);
    World *world = *state;

    submission = world_seal(world, RETURN_PATH_SUBMISSION, WORLD_ID);
    world_milter(world, EVENT_SUBMISSION_ADMITTED,
                 "\"base\":%" G_GUINT64_FORMAT ",\"n\":3,\"hop\":true,\"queue_id\":\"" FIRST
                 "\",\"rcpts\":[\"a@ok.test\",\"B@ok.test\",\"c@ok.test\"]",
                 WORLD_ID);
    return result;
}

static int teardown(void **state)
{
    g_clear_pointer(&submission, g_free);
    return world_teardown(state);
}

/* The hop has made the message of an index. */
static void make(World *world, const char *queue_id, guint index, const char *recipient)
{
    g_autofree char *sender = world_seal(world, RETURN_PATH_MESSAGE, id_at(WORLD_ID, index));

    world_milter(world, EVENT_MESSAGE_ACCEPTED,
                 "\"id\":%" G_GUINT64_FORMAT ",\"base\":%" G_GUINT64_FORMAT
                 ",\"hop\":true,\"queue_id\":\"%s\",\"rcpt\":\"%s\"",
                 id_at(WORLD_ID, index), WORLD_ID, queue_id, recipient);
    world_say_queued(world, queue_id, sender);
}

static void say_first(World *world, const char *to, const char *status)
{
    world_say(world,
              "postfix/outrider-split/smtp[7]: " FIRST
              ": to=<%s>, relay=127.0.0.1[127.0.0.1]:10026, "
              "delay=1, delays=0/0/0/1, dsn=4.3.0, status=%s",
              to, status);
}

static void say_expired(World *world)
{
    world_say(world, "postfix/qmgr[9]: " FIRST ": from=<%s>, status=expired, returned to sender",
              submission);
}

#define QUEUED  "submission.queued 3\n"
#define EXPIRED "HardFail expired in Postfix's queue, returned to sender\n"

static void test_a_submission_is_queued_once(void **state)
{
    World *world = *state;

    world_say_queued(world, FIRST, submission);
    world_say_queued(world, FIRST, submission);
    world_follow(world);
    world_assert_events(world, QUEUED);
}

/* What waits to be split ends when its submission is deleted; what the hop has made goes its own way. */
static void test_a_first_pass_deleted_on_hold_is_cancelled(void **state)
{
    World *world = *state;

    world_say_queued(world, FIRST, submission);
    make(world, "4jWn6HBBDz8Y", 1, "B@ok.test");
    world_say(world, "postfix/postsuper[8]: " FIRST ": placed on hold");
    world_say(world, "postfix/postsuper[8]: " FIRST ": removed");
    world_follow(world);
    world_assert_events(world, QUEUED MADE "hold.cancelled\nhold.cancelled+2\n");
}

static void test_a_first_pass_released_and_deleted_is_not(void **state)
{
    World *world = *state;

    world_say_queued(world, FIRST, submission);
    world_say(world, "postfix/postsuper[8]: " FIRST ": placed on hold");
    world_say(world, "postfix/postsuper[8]: " FIRST ": released from hold");
    world_say(world, "postfix/postsuper[8]: " FIRST ": removed");
    world_follow(world);
    world_assert_events(world, QUEUED);
}

static void test_a_first_pass_on_hold_is_queued(void **state)
{
    World *world = *state;

    world_say(world,
              "postfix/outrider-submit/cleanup[7]: " FIRST ": milter-hold: END-OF-MESSAGE from "
              "c[192.0.2.9]: milter triggers HOLD action; from=<%s> to=<a@ok.test> proto=ESMTP",
              submission);
    world_follow(world);
    world_assert_events(world, QUEUED);
}

static void test_a_submission_path_from_elsewhere_is_ignored(void **state)
{
    World *world = *state;

    world_say_queued(world, "4jWn6HCCDz8Y", submission);
    world_say_queued(world, FIRST, world->sender);
    world_say_queued(world, "4jWn6HCCFz8Y", "");
    world_follow(world);
    g_autofree char *found = world_events(world);
    assert_null(strstr(found, "submission.queued"));
}

static void test_the_first_pass_tells_until_the_hop_has_taken_over(void **state)
{
    World *world = *state;

    world_say_queued(world, FIRST, submission);
    say_first(world, "b@OK.test", "deferred (milter away)");
    say_first(world, "bcc@ok.test", "deferred (a stranger)");
    say_first(world, "bcc@ok.test", "sent (250 2.0.0 Ok: queued as 4jWn6HDDFz8Y)");
    make(world, "4jWn6HDDDz8Y", 1, "B@ok.test");
    say_first(world, "b@ok.test", "deferred (lost connection after the inner 250)");
    make(world, "4jWn6HDDGz8Y", 1, "B@ok.test");
    say_first(world, "b@ok.test", "sent (250 2.0.0 Ok: queued as 4jWn6HDDGz8Y)");
    say_first(world, "a@ok.test", "bounced (host said: 552 5.3.4 too big)");
    world_follow(world);
    world_assert_events(world, QUEUED "delivery.attempt+1 SoftFail milter away\n" MADE MADE
                                      "delivery.attempt HardFail host said: 552 5.3.4 too big\n");
}

static void test_expiry_ends_what_the_hop_has_not_made(void **state)
{
    World *world = *state;

    world_say_queued(world, FIRST, submission);
    make(world, "4jWn6HFFDz8Y", 1, "B@ok.test");
    world_follow(world);
    world_restart(world);
    say_expired(world);
    world_say(world, "postfix/qmgr[9]: " FIRST ": removed");
    say_expired(world);
    world_follow(world);
    world_assert_events(world,
                        QUEUED MADE "delivery.attempt " EXPIRED "delivery.attempt+2 " EXPIRED);
}

static void test_what_the_first_pass_sent_does_not_expire(void **state)
{
    World *world = *state;

    world_say_queued(world, FIRST, submission);
    say_first(world, "b@ok.test", "sent (250 2.0.0 Ok: queued as 4jWn6HGGDz8Y)");
    world_say(world,
              "postfix/smtp[7]: " FIRST ": to=<x@else.test>, orig_to=<C@ok.test>, relay=none, "
              "delay=1, delays=0/0/0/1, dsn=5.0.0, status=bounced (alias)");
    say_expired(world);
    world_follow(world);
    world_assert_events(world,
                        QUEUED "delivery.attempt+2 HardFail alias\ndelivery.attempt " EXPIRED);
}

static void test_a_requeued_first_pass_is_the_submission(void **state)
{
    World *world = *state;

    world_say_queued(world, FIRST, submission);
    world_say(world, "postfix/pickup[8]: 4jWn6HHHDz8Y: uid=103 from=<%s> orig_id=" FIRST,
              submission);
    world_say_queued(world, "4jWn6HHHDz8Y", submission);
    world_follow(world);
    world_assert_events(world, QUEUED QUEUED);
}

static void test_what_went_past_the_hop_is_sent(void **state)
{
    World *world = *state;

    world_say_queued(world, FIRST, submission);
    world_say(world, "postfix/local[7]: " FIRST ": to=<c@ok.test>, relay=local, delay=1, "
                     "delays=0/0/0/1, dsn=2.0.0, status=sent (delivered to maildir)");
    say_expired(world);
    world_follow(world);
    world_assert_events(world, QUEUED "delivery.attempt+2 Sent delivered to maildir\n"
                                      "delivery.attempt " EXPIRED "delivery.attempt+1 " EXPIRED);
}

static void test_a_thousand_recipients_expire(void **state)
{
    World *world = *state;
    const guint64 base = WORLD_ID + ((guint64)1 << 22);
    g_autofree char *sender = world_seal(world, RETURN_PATH_SUBMISSION, base);
    g_autoptr(GString) rcpts = g_string_new(NULL);
    guint events = 0;

    for (guint i = 0; i < 1000; i++)
        g_string_append_printf(rcpts, "%s\"r%u@ok.test\"", i ? "," : "", i);
    world_milter(world, EVENT_SUBMISSION_ADMITTED,
                 "\"base\":%" G_GUINT64_FORMAT ",\"n\":1000,\"hop\":true,\"queue_id\":"
                 "\"4jWn6HJJDz8Y\",\"rcpts\":[%s]",
                 base, rcpts->str);
    world_say_queued(world, "4jWn6HJJDz8Y", sender);
    world_say(world, "postfix/qmgr[9]: 4jWn6HJJDz8Y: from=<%s>, status=expired, returned to sender",
              sender);
    world_follow(world);
    g_autofree char *found = world_events(world);
    for (const char *at = found; (at = strstr(at, "delivery.attempt")); at++)
        events++;
    assert_int_equal(events, 1000);
}

/* Has the follower remember what the queue and history agree on. */
static void learn(World *world, const QueueFound *found, guint n)
{
    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(QueueFound));

    g_array_append_vals(all, found, n);
    mail_follower_learn(world->follower, all);
}

static void test_a_lost_book_is_learned_from_the_queue(void **state)
{
    World *world = *state;
    const guint64 other = WORLD_ID + ((guint64)7 << 22);
    const QueueEntry lost = {.id = other, .server = 1, .n = 2};
    QueueFound found[] = {
        {"4jWn6HKKDz8Y", lost, other, recipient_key("a@ok.test", -1), TRUE},
        {"4jWn6HKKDz8Y", lost, id_at(other, 1), recipient_key("b@ok.test", -1), FALSE},
        {"4jWn6HKKFz8Y",
         {.id = WORLD_ID, .server = 1, .recipient = recipient_key("x@ok.test", -1)},
         0,
         0,
         FALSE},
        {FIRST, {.id = WORLD_ID + 256, .server = 9}, 0, 0, FALSE},
    };
    g_autofree char *sender = world_seal(world, RETURN_PATH_SUBMISSION, other);

    world_append(world->log, "nonsense\n");
    world_follow(world);
    assert_true(mail_follower_caught_up(world->follower) > 0);
    learn(world, found, G_N_ELEMENTS(found));
    world_say_sent(world, "4jWn6HKKFz8Y", "learned");
    world_say(world, "postfix/qmgr[9]: 4jWn6HKKDz8Y: from=<%s>, status=expired, returned to sender",
              sender);
    world_say_queued(world, FIRST, submission);
    world_follow(world);
    g_autofree char *text = world_events(world);
    g_autofree char *expired =
        g_strdup_printf("delivery.attempt+%u " EXPIRED, (guint)((7 << 14) + 1));
    assert_non_null(strstr(text, "delivery.attempt Sent 250 2.0.0 learned"));
    assert_non_null(strstr(text, expired));
    assert_non_null(strstr(text, QUEUED));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_a_submission_is_queued_once),
        CASE(test_a_first_pass_deleted_on_hold_is_cancelled),
        CASE(test_a_first_pass_released_and_deleted_is_not),
        CASE(test_a_first_pass_on_hold_is_queued),
        CASE(test_a_submission_path_from_elsewhere_is_ignored),
        CASE(test_the_first_pass_tells_until_the_hop_has_taken_over),
        CASE(test_expiry_ends_what_the_hop_has_not_made),
        CASE(test_what_the_first_pass_sent_does_not_expire),
        CASE(test_a_requeued_first_pass_is_the_submission),
        CASE(test_what_went_past_the_hop_is_sent),
        CASE(test_a_thousand_recipients_expire),
        CASE(test_a_lost_book_is_learned_from_the_queue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
