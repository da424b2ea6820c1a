/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what a reader of a message gets: type and decoded octets of every part, by GMime.
 * Used by: tests and fuzz targets that compare a message before and after.
 * May touch: nothing.
 * Threads: any.
 */
#pragma once

#include <glib.h>

/* Fields (of MimeField) and body as one text: per part its type, length and decoded octets. */
GString *mime_decode(const GPtrArray *fields, const char *body, gsize length);
