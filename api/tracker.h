/* SPDX-License-Identifier: MIT */
/*
 * Purpose: answers what a tracking host is asked, and records it.
 * Used by: trackd.
 * May touch: edge.5.db and the key ring `link', read-only; its journal and its counters.
 * Threads: any, but tracker_tick and tracker_reload: one.
 *
 *     GET /c/TOKEN   307 with the URL that was sealed; a click
 *     GET /o/TOKEN   200 with one transparent pixel; an open
 *     GET /          200 Hello.
 *     anything else  404, always the same; of other methods 405
 * An answer never waits for the journal. What it cannot take is counted.
 */
#pragma once

#include "lib/config/config.h"
#include "lib/httpd/httpd.h"
#include "lib/service/counters.h"

typedef struct Tracker Tracker;

/* Needs the key ring; the journal and the replica may come later. config is borrowed. */
Tracker *tracker_open(const Config *config, GError **error);
void tracker_close(Tracker *tracker);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Tracker, tracker_close)

/* As a site of httpd; context is the tracker. */
HttpdSite tracker_site(Tracker *tracker);

/* Loads the key ring anew and opens the replica again. On FALSE all stays as it was. */
gboolean tracker_reload(Tracker *tracker, GError **error);

/* Once a second: opens a journal that could not be written again, writes down what the server counted, and tells the log
 * once when clicks begin to be lost, and when they are kept again. */
void tracker_tick(Tracker *tracker, Httpd *httpd);
