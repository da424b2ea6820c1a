/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what a fuzz target offers: the function that libFuzzer and the replayer call, and a
 *     counter that shows that inputs get past the first check.
 * Used by: tests/fuzz/fuzz_*.c and tests/fuzz/replay.c.
 * May touch: nothing.
 * Threads: one.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Defined by each target and counted up when the parser accepted something: the replay of the seeds
 * fails when it stays 0, for then the target tests nothing but the refusal. */
extern unsigned fuzz_reached;

/* libFuzzer's entry; returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
