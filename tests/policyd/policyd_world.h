/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the real outrider-policyd in a directory of its own, for tests that speak with it.
 * Used by: tests/policyd.
 * May touch: a temporary directory.
 */
#pragma once

#include <glib.h>
#include <sys/types.h>

#include "tests/lib/testing.h"

#define POLICYD_PROGRAM "policyd/outrider-policyd"
#define POLICYD_KEY     "abcdefghijklmnopqrstuvwx"

typedef struct {
    char *dir, *edge, *config;
    pid_t child;
} State;

/* A cmocka fixture: started, with empty replicas; and ended, in good order or the teardown fails. */
int policyd_setup(void **state);
int policyd_teardown(void **state);
#define POLICYD_CASE(name) cmocka_unit_test_setup_teardown(name, policyd_setup, policyd_teardown)

/* Starts it (again). */
void policyd_start(State *state);

/* Fills the replicas as tests/lib/edge_fixture.h says. */
void policyd_fill(const State *state);

/* Connects, as soon as it listens. */
int open_socket(const State *state, const char *name);

void send_text(int fd, const char *text);

/* Reads until the text ends with end, or the other side closes ("" then, if nothing came). g_free. */
char *read_until(int fd, const char *end);

/* Sends a request and compares the answer, which ends with end. */
void expect(int fd, const char *request, const char *end, const char *wanted);
