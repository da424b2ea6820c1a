/* SPDX-License-Identifier: MIT */
/*
 * Purpose: parts what somebody writes in a plain text from what of earlier messages hangs on below it, and from signatures.
 * Used by: outrider-pipe.
 * May touch: nothing.
 * Threads: any.
 * Limits: none; the time grows with the text's length only.
 *
 * What Postal's eleven rules cut is cut here: "-- ", "-----Original Message-----", "From:" above "Sent:" or "Date:", the German and French
 * lines, 18 underscores, "On ... wrote:", "Sent from my", "=== Please reply above this line ===", ten quoted lines. Attributions, quoted
 * headers and devices of more programs and languages are in reply_phrase.def; a quote at the end goes as well. Where nothing stands above
 * an attribution, the answer is below its quote, or between: then only that is cut. What nothing here knows stays: rather too much text
 * than too little.
 */
#pragma once

#include <glib.h>

typedef struct {
    char *text;    /* never NULL; lines end with LF, nothing blank at either end */
    char *replies; /* what was cut out, in the text's order; NULL: nothing */
} StrippedReply;

void stripped_reply_clear(StrippedReply *stripped);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(StrippedReply, stripped_reply_clear)

/* Parts a text of valid UTF-8. */
void strip_reply(const char *text, StrippedReply *stripped);
