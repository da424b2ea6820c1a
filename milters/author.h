/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what lib/admission says of a message's author, as a refusal.
 * Used by: the milter.
 * May touch: the replicas, through lib/edge.
 * Threads: any.
 */
#pragma once

#include "lib/admission/author.h"
#include "milters/message.h"
#include "milters/refusal.h"
#include "milters/shared.h"

/* Finds the author (which starts zeroed). REFUSAL_AUTHOR: nothing allows it; REFUSAL_INTERNAL and error: it cannot be
 * looked up now. */
RefusalName author_judge(const Message *message, Shared *shared, const EdgeCredential *credential,
                         Author *author, GError **error);

/* Whether the credential may write from the envelope sender and that author: REFUSAL_SENDER, REFUSAL_INTERNAL. */
RefusalName author_judge_senders(const Message *message, Shared *shared,
                                 const EdgeCredential *credential, const Author *author,
                                 GError **error);
