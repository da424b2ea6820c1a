/* SPDX-License-Identifier: MIT */
/*
 * Purpose: API v2 described for programs (OpenAPI 3.1), from the tables that it follows.
 * Used by: apid.
 * May touch: nothing.
 * Threads: any.
 */
#pragma once

#define V2_OPENAPI_PATH "/api/v2/openapi.json"

/* The document, static. */
const char *v2_openapi(void);
