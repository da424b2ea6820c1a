/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what a fuzz target offers: the function that libFuzzer and the replayer call, and a
 *     counter that shows that inputs get past the first check.
 * Used by: tests/fuzz/fuzz_*.c and tests/fuzz/replay.c.
 * May touch: nothing.
 * Threads: one.
 */
#pragma once

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* Defined by each target and counted up when the parser accepted something: the replay of the seeds
 * fails when it stays 0, for then the target tests nothing but the refusal. */
extern unsigned fuzz_reached;

/* libFuzzer's entry; returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void fuzz_on_trap(int number)
{
    (void)number;
    abort();
}

/* libFuzzer keeps the input that led to an abort, but not of the SIGTRAP that g_error raises. */
__attribute__((constructor)) static inline void fuzz_abort_on_trap(void)
{
    signal(SIGTRAP, fuzz_on_trap);
}
