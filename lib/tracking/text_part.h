/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the links of a plain text: "http://" and "https://" up to where every reader lets them end.
 * Used by: lib/tracking only.
 * May touch: nothing.
 * Threads: one at a time.
 */
#pragma once

#include "lib/tracking/draft.h"

/* Adds what is to be replaced in the draft's text. No line is broken or joined. */
void text_part_rewrite(Draft *draft);
