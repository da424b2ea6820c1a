/* SPDX-License-Identifier: MIT */
/*
 * Purpose: a JSON object from outside, read strictly.
 * Used by: apid.
 * May touch: nothing.
 * Threads: any.
 * Limits: JSON_BODY_DEPTH_MAX levels, JSON_BODY_NAMES_MAX names in all objects together, JSON_BODY_VALUES_MAX values: one of three octets
 *     (an empty object) takes 700 in memory.
 */
#pragma once

#include <glib.h>
#include <json-c/json.h>

#define JSON_BODY_TYPE       "application/json"
#define JSON_BODY_DEPTH_MAX  32
#define JSON_BODY_NAMES_MAX  10000
#define JSON_BODY_VALUES_MAX 20000

/* The object; json_object_put. INVALID, and the text says what is wrong: no JSON in UTF-8, no object, a name that stands twice in one
 * object, deeper or more than may be. */
json_object *json_body_read(const char *json, gsize length, GError **error);
