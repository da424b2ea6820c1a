/* SPDX-License-Identifier: MIT */
/*
 * Purpose: has policyd charge messages to their limits.
 * Used by: the milter's DISPATCH.
 * May touch: policyd's socket `limit'.
 * Threads: any.
 * Limits: METER_IDLE_MAX connections kept for the next message. A charge holds its connection until it is
 *     kept or given back; if this process ends before, policyd gives it back.
 */
#pragma once

#include "lib/config/config.h"
#include "lib/wire/charge.h"

#define METER_IDLE_MAX 64

typedef struct Meter Meter;

Meter *meter_new(const Config *config);
void meter_free(Meter *meter);

/* One message that has been charged. */
typedef struct MeterCharge MeterCharge;

/* TRUE: judged; verdict->limit is 0 and *charge is the message's, or a limit is reached. UNAVAILABLE:
 * policyd is away. */
gboolean meter_charge(Meter *meter, const ChargeRequest *request, ChargeVerdict *verdict,
                      MeterCharge **charge, GError **error);

/* The message was taken: the charge stays. */
void meter_keep(MeterCharge *charge);

/* It was not: the charge goes back. */
void meter_refund(MeterCharge *charge);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MeterCharge, meter_refund)
