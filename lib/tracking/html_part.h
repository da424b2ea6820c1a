/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the links of an HTML text: the values of href at a and area, and where the pixel goes.
 * Used by: lib/tracking only.
 * May touch: nothing.
 * Threads: one at a time.
 */
#pragma once

#include "lib/tracking/draft.h"

/* Adds what is to be replaced in the draft's text. */
void html_part_rewrite(Draft *draft);
