/* SPDX-License-Identifier: MIT */
/*
 * Purpose: recipients that deliveries put on the list of suppressions and take off it again, and what of the list is
 *     over its time.
 *
 *     two messages of one server are refused as class `address' within SUPPRESSOR_WINDOW_US, each for good or
 *         until Postfix gave it up; or one for that long until then
 *         and none is taken then or later              the address is suppressed for that server
 *     mail of that server to it is taken then or later what refusals put there goes; what else did, stays
 *
 * What Postfix gave up for another reason than the last refusal's class `address' says nothing of the address (give_up.h).
 *
 * Used by: the event applier, for what a batch of events wrote; housekeeping.
 * May touch: suppression, suppression_evidence, suppression_give_up, suppression_lift, suppression_tombstone,
 *     revision_counter; reads delivery and message.
 * Threads: one connection per thread. Who judges holds the directory's lock, so of two nodes that hear of one refusal
 *     each the later one sees both.
 *
 * The evidence is a row for each message, and both rules look at times of attempts alone (a log that tells
 * seconds makes one time of all in a second, and then the address is good), so that it does not matter in
 * which order or how often events come. Only that a message was given up is told after its attempts, as one journal has
 * both. A message that was judged is not judged again: what was removed by hand comes back with the next refusal only.
 */
#pragma once

#include "lib/sql/sql.h"

#define SUPPRESSOR_WINDOW_US   (24 * G_TIME_SPAN_HOUR)
#define SUPPRESSOR_EVIDENCE_US (7 * G_TIME_SPAN_DAY) /* how long evidence and tombstones are kept */
#define SUPPRESSOR_REASON      "recipient does not exist: two messages were refused within a day"
#define SUPPRESSOR_GAVE_UP     "recipient does not exist: refused until Postfix gave the message up"

/* Inside of a transaction that wrote evidence: suppresses, for so many days from the refusal, whom it is enough for. */
gboolean suppressor_judge(Sql *sql, guint days, GError **error);

/* Inside of a transaction that wrote what was taken: removes what that takes off the list. */
gboolean suppressor_lift(Sql *sql, GError **error);

/* Removes what is expired at now (Unix seconds), what belonged to organizations and servers that are gone, old evidence
 * and old tombstones; a batch of lib/directory/suppression.h a transaction. */
gboolean suppressor_expire(Sql *sql, gint64 now, GError **error);
