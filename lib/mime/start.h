/* SPDX-License-Identifier: MIT */
/*
 * Purpose: GMime is started once per process, whoever comes first.
 * Used by: lib/mime only.
 * May touch: nothing.
 * Threads: any.
 */
#pragma once

/* Starts GMime when that has not happened yet. */
void mime_start(void);
