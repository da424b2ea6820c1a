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

/* The same for one of several nodes, which is policyd_teardown's to end. */
State *policyd_setup_node(guint node);

/* Starts it (again). */
void policyd_start(State *state);

/* Fills the replicas as tests/lib/edge_fixture.h says. */
void policyd_fill(const State *state);

/* Puts limits in force: the columns of rate_limit, row by row. */
void policyd_set_limits(const State *state, const char *rows);

/* Asks until the answer begins as wanted: what changed in the replicas counts within a second or two, and what
 * another node did a little later. */
void await(int fd, const char *request, const char *wanted);

/* Connects, as soon as it listens. */
int open_socket(const State *state, const char *name);

void send_text(int fd, const char *text);

/* Reads until the text ends with end, or the other side closes ("" then, if nothing came). g_free. */
char *read_until(int fd, const char *end);

/* Sends a request and compares the answer, which ends with end. */
void expect(int fd, const char *request, const char *end, const char *wanted);
