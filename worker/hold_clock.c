/* SPDX-License-Identifier: MIT */
#include "worker/hold_clock.h"

HoldClockVerdict hold_clock_judge(HoldClock *clock, const HoldClockLook *now, gint64 *difference_us)
{
    const HoldClockLook last = clock->looked ? clock->last : *now;
    gint64 step = (now->wall_us - last.wall_us) - (now->boot_us - last.boot_us);
    gint64 ahead = now->wall_us - now->database_us;
    HoldClockVerdict verdict = HOLD_CLOCK_GOOD;

    if (!clock->looked)
        clock->settled_us = now->boot_us + HOLD_CLOCK_SETTLE_US;
    clock->looked = TRUE;
    clock->last = *now;
    *difference_us = 0;
    if (ABS(step) > HOLD_CLOCK_STEP_US) {
        clock->settled_us = now->boot_us + HOLD_CLOCK_DELAY_US;
        *difference_us = step;
        verdict = HOLD_CLOCK_STEPPED;
    } else if (ABS(ahead) > HOLD_CLOCK_APART_US) {
        *difference_us = ahead;
        verdict = HOLD_CLOCK_APART;
    } else if (now->boot_us < clock->settled_us) {
        verdict = HOLD_CLOCK_UNSETTLED;
    }
    return verdict;
}
