/* SPDX-License-Identifier: MIT */
/*
 * Purpose: whether the clock may be believed enough to delete mail for its age. Pure.
 * Used by: the worker's hold keeper.
 * May touch: nothing.
 * Threads: one.
 * Limits: a clock that was wrong before the worker started, and the database's with it, is not found out.
 */
#pragma once

#include <glib.h>

#define HOLD_CLOCK_APART_US (1 * G_TIME_SPAN_HOUR) /* that the database's clock may differ */
#define HOLD_CLOCK_STEP_US                                                                         \
    (5 * G_TIME_SPAN_MINUTE) /* that the clock may be set between two looks */
#define HOLD_CLOCK_SETTLE_US                                                                       \
    (1 * G_TIME_SPAN_MINUTE) /* how long it must have gone steadily at the start */
#define HOLD_CLOCK_DELAY_US (1 * G_TIME_SPAN_DAY) /* and after it was set */

/* The clocks at one moment, in microseconds. */
typedef struct {
    gint64 wall_us;     /* this host's, since 1970 */
    gint64 boot_us;     /* CLOCK_BOOTTIME */
    gint64 database_us; /* MariaDB's, since 1970 */
} HoldClockLook;

/* All zero: has not looked yet. */
typedef struct {
    gboolean looked;
    HoldClockLook last;
    gint64 settled_us; /* when it may be believed, by CLOCK_BOOTTIME */
} HoldClock;

typedef enum {
    HOLD_CLOCK_GOOD,
    HOLD_CLOCK_UNSETTLED, /* not long enough since the start or a step */
    HOLD_CLOCK_STEPPED,   /* it was set since the last look */
    HOLD_CLOCK_APART      /* the database's clock says something else */
} HoldClockVerdict;

/* Judges and remembers. *difference_us receives how far it was set (STEPPED), how far this host is ahead of the
 * database (APART), else 0. */
HoldClockVerdict hold_clock_judge(HoldClock *clock, const HoldClockLook *now,
                                  gint64 *difference_us);
