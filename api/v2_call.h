/* SPDX-License-Identifier: MIT */
/*
 * Purpose: API v2: managing the directory over HTTP, from the request to the answer.
 * Used by: apid.
 * May touch: MariaDB, by an account of its own (apid_manage_db_user), through lib/directory. Nothing that sends comes here.
 * Threads: any; a call waits for the database, and a wrong token for its penalty.
 * Limits: V2_DESK_LINKS connections (lib/sql/pool.h) and V2_DESK_WORKERS threads, a few more than wrong tokens may keep waiting;
 *     bodies of V2_BODY_MAX octets, and only who shows a token has one; tokens of V2_TOKEN_MAX octets.
 */
#pragma once

#include "api/throttle.h"
#include "lib/config/config.h"
#include "lib/httpd/httpd.h"

#define V2_DESK_LINKS   4
#define V2_DESK_WORKERS (V2_DESK_LINKS + THROTTLE_SLEEPERS_MAX)
#define V2_BODY_MAX     (64 * 1024)
#define V2_TOKEN_MAX    128
#define V2_TOKEN_FIELD  "Authorization"

typedef struct V2Desk V2Desk;

/* What became of a call, for those who count. */
typedef enum {
    V2_DONE,
    V2_REFUSED,
    V2_STRANGER, /* without a token that is good */
    V2_AWAY,     /* the database is, or all connections are busy */
} V2Outcome;

/* Opens nothing yet. config and throttle must outlive it. */
V2Desk *v2_desk_new(const Config *config, Throttle *throttle);
void v2_desk_free(V2Desk *desk);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(V2Desk, v2_desk_free)

/* Whether a path is one of API v2. */
gboolean v2_is_path(const char *path);

/* What a request may bring, by its head. */
typedef enum {
    V2_NOBODY,  /* nothing: no token was shown. It is answered without waiting */
    V2_NO_BODY, /* nothing, by its method */
    V2_BODY,    /* V2_BODY_MAX octets */
    V2_OPENAPI, /* nothing: the description is anybody's. Without waiting */
} V2Kind;

V2Kind v2_kind(const HttpdRequest *request);

/* Answers a request whose body is gathered. Its state becomes the token's name (g_free), once it is good. */
V2Outcome v2_call(V2Desk *desk, HttpdRequest *request, HttpdAnswer *answer);
