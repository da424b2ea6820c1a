/* SPDX-License-Identifier: MIT */
/*
 * Purpose: a URL that stood in a message, as a Location field may have it.
 * Used by: trackd.
 * May touch: nothing.
 * Threads: any.
 */
#pragma once

#include <glib.h>

/* Octets that a field cannot have, or that RFC 3986 has in no URL outside of ASCII, are percent-encoded, as a browser does with
 * them: blanks, and all above 0x7e. Everything else stays, a percent sign too. NULL: the URL holds a control character, or does
 * not begin with http:// or https://. g_free. */
char *location_write(const char *url);
