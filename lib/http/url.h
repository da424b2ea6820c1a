/* SPDX-License-Identifier: MIT */
/*
 * Purpose: which URLs may be asked.
 * Used by: lib/http.
 * May touch: nothing.
 * Threads: any.
 * Limits: HTTP_URL_MAX octets.
 */
#pragma once

#include <glib.h>

#define HTTP_URL_MAX 2000

/* NULL: a URL with scheme http or https and a host, without user, password and fragment, in the octets that RFC 3986 has for one.
 * Else what is wrong, static; it never quotes the URL, which may hold a secret. */
const char *http_url_wrong(const char *url);
