/* SPDX-License-Identifier: MIT */
/*
 * Purpose: wrong keys and tokens wait for their answer, later and later per address.
 * Used by: apid.
 * May touch: nothing.
 * Threads: any; who fails waits.
 * Limits: THROTTLE_SLEEPERS_MAX wait at a time.
 */
#pragma once

#include "lib/base/penalty.h"
#include "lib/config/config.h"

#define THROTTLE_SLEEPERS_MAX 4

typedef struct Throttle Throttle;

Throttle *throttle_new(const Config *config);
void throttle_free(Throttle *throttle);

/* Waits as long as failures of that source (network_client) do. FALSE, at once: too many wait already. */
gboolean throttle_wait(Throttle *throttle, const char *source);
