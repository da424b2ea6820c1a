/* SPDX-License-Identifier: MIT */
#include "tests/lib/testing.h"
#include "worker/hold_clock.h"

#define SECOND G_TIME_SPAN_SECOND
#define MINUTE G_TIME_SPAN_MINUTE
#define HOUR   G_TIME_SPAN_HOUR
#define DAY    G_TIME_SPAN_DAY
#define WALL   (20000 * DAY)
#define BOOT   (3 * DAY)

typedef struct {
    const char *name;
    /* Since the worker's first look: the clocks as they should be, and what is added to them. */
    gint64 passed, step, boot_step, database;
    HoldClockVerdict verdict;
    gint64 difference;
} Look;

/* One look after another of the same worker. */
typedef struct {
    const char *name;
    Look looks[6]; /* ends with one without name */
} Story;

#define START                                                                                      \
    {                                                                                              \
        "the first look", 0, 0, 0, 0, HOLD_CLOCK_UNSETTLED, 0                                      \
    }
#define STEADY                                                                                     \
    {                                                                                              \
        "a minute later", MINUTE, 0, 0, 0, HOLD_CLOCK_GOOD, 0                                      \
    }

static const Story stories[] = {
    {"steady", {START, {"a second early", MINUTE - 1, 0, 0, 0, HOLD_CLOCK_UNSETTLED, 0}, STEADY}},
    {"after a night without power",
     {START, STEADY, {"both went on", 9 * HOUR, 0, 0, 0, HOLD_CLOCK_GOOD, 0}}},
    {"set forward, and the database's with it",
     {START,
      STEADY,
      {"by days", 2 * MINUTE, 30 * DAY, 0, 30 * DAY, HOLD_CLOCK_STEPPED, 30 * DAY},
      {"and stays", 3 * MINUTE, 30 * DAY, 0, 30 * DAY, HOLD_CLOCK_UNSETTLED, 0},
      {"nearly a day", 2 * MINUTE + DAY - 1, 30 * DAY, 0, 30 * DAY, HOLD_CLOCK_UNSETTLED, 0},
      {"a day", 2 * MINUTE + DAY, 30 * DAY, 0, 30 * DAY, HOLD_CLOCK_GOOD, 0}}},
    {"set forward and back",
     {START,
      STEADY,
      {"forward", 2 * MINUTE, 30 * DAY, 0, 0, HOLD_CLOCK_STEPPED, 30 * DAY},
      {"back", 3 * MINUTE, 0, 0, 0, HOLD_CLOCK_STEPPED, -30 * DAY},
      {"a day after the first", 2 * MINUTE + DAY, 0, 0, 0, HOLD_CLOCK_UNSETTLED, 0},
      {"a day after the second", 3 * MINUTE + DAY, 0, 0, 0, HOLD_CLOCK_GOOD, 0}}},
    {"set before it had settled",
     {START,
      {"by ten minutes", SECOND, 10 * MINUTE, 0, 10 * MINUTE, HOLD_CLOCK_STEPPED, 10 * MINUTE},
      {"an hour later", HOUR, 10 * MINUTE, 0, 10 * MINUTE, HOLD_CLOCK_UNSETTLED, 0}}},
    {"set back a little",
     {START, STEADY, {"by five minutes", 2 * MINUTE, -5 * MINUTE, 0, 0, HOLD_CLOCK_GOOD, 0}}},
    {"set back by more",
     {START,
      STEADY,
      {"and a microsecond", 2 * MINUTE, -5 * MINUTE - 1, 0, 0, HOLD_CLOCK_STEPPED,
       -5 * MINUTE - 1}}},
    {"goes wrong slowly",
     {START,
      STEADY,
      {"one", 2 * MINUTE, 4 * MINUTE, 0, 0, HOLD_CLOCK_GOOD, 0},
      {"two", 3 * MINUTE, 8 * MINUTE, 0, 0, HOLD_CLOCK_GOOD, 0},
      {"an hour and more", 4 * HOUR, 8 * MINUTE, 0, -HOUR, HOLD_CLOCK_APART, HOUR + 8 * MINUTE}}},
    {"the machine was stopped, and its clock set",
     {START,
      STEADY,
      {"the boot clock stood still", 2 * HOUR, 0, -HOUR, 0, HOLD_CLOCK_STEPPED, HOUR}}},
    {"the database is ahead",
     {START,
      {"by an hour", MINUTE, 0, 0, HOUR, HOLD_CLOCK_GOOD, 0},
      {"by more", 2 * MINUTE, 0, 0, HOUR + 1, HOLD_CLOCK_APART, -HOUR - 1},
      {"and well again", 3 * MINUTE, 0, 0, 0, HOLD_CLOCK_GOOD, 0}}},
    {"the database is behind",
     {{"from the start", 0, 0, 0, -DAY, HOLD_CLOCK_APART, DAY},
      {"by an hour", MINUTE, 0, 0, -HOUR, HOLD_CLOCK_GOOD, 0},
      {"by more", 2 * MINUTE, 0, 0, -HOUR - 1, HOLD_CLOCK_APART, HOUR + 1}}},
};

static void test_hold_clock_judge_each_story(void **state)
{
    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(stories); i++) {
        HoldClock clock = {0};
        for (const Look *look = stories[i].looks;
             look < stories[i].looks + G_N_ELEMENTS(stories[i].looks) && look->name; look++) {
            const HoldClockLook now = {.wall_us = WALL + look->passed + look->step,
                                       .boot_us = BOOT + look->passed + look->boot_step,
                                       .database_us = WALL + look->passed + look->database};
            gint64 difference = -1;
            HoldClockVerdict verdict = hold_clock_judge(&clock, &now, &difference);
            if (verdict != look->verdict || difference != look->difference)
                fail_msg("%s, %s: %d and %" G_GINT64_FORMAT, stories[i].name, look->name,
                         (int)verdict, difference);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hold_clock_judge_each_story),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
