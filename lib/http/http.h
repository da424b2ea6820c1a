/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the one door for HTTP that goes out: a POST to a URL that somebody else has chosen.
 * Used by: outrider-pipe.
 * May touch: the network. Never a proxy, whatever the environment says; never another URL than the one that is given.
 * Threads: one Http at a time; connections are kept in it and used again.
 * Limits: URLs as in url.h; fields of HTTP_HEADER_MAX octets in an answer, a body of as many as are asked for, of which the rest is
 *     left unread. HTTP/1.1, TLS 1.2 or later with a certificate of the host's name.
 *
 * The address is judged when the socket is made, so it does not matter how a URL writes it or what the DNS said a moment ago.
 */
#pragma once

#include "lib/base/source.h"

#define HTTP_HEADER_MAX (64 * 1024)

typedef enum {
    HTTP_ANSWERED, /* status is set */
#define X(NAME, code, text) HTTP_FAILED_##NAME,
#include "lib/http/http_failure.def"
#undef X
} HttpOutcome;

/* Its enhanced code and its meaning, static; of a failure only. */
const char *http_failure_code(HttpOutcome failure);
const char *http_failure_text(HttpOutcome failure);

typedef struct {
    const GArray
        *allow; /* of Network: addresses that may be asked besides public ones; NULL: none */
    const char *ca_file; /* of more certificate authorities, PEM; NULL or "": the system's only */
    const char *user_agent;
} HttpSettings;

typedef struct Http Http;

/* Takes on what http_new would, for who forks. UNAVAILABLE: libcurl does not start. */
gboolean http_start(GError **error);

/* What settings point to must live as long. UNAVAILABLE: libcurl does not start. */
Http *http_new(const HttpSettings *settings, GError **error);
void http_free(Http *http);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Http, http_free)

typedef struct {
    const char *url;
    const char *const *fields; /* "Name: value" without line ends, up to NULL */
    Source *body;              /* read as it is sent */
    guint seconds;             /* for all of it */
    guint connect_seconds;     /* for the connection and TLS */
    gsize answer_max;
} HttpRequest;

typedef struct {
    HttpOutcome outcome;
    int status;      /* 100 to 599 */
    GString *answer; /* the begin of its body, octets */
    gint64
        wait; /* seconds until it wants to be asked again (RFC 9110 section 10.2.3); 0: nothing said */
    char *detail; /* of a failure: what libcurl says; may name host and address */
} HttpAnswer;

void http_answer_clear(HttpAnswer *answer);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HttpAnswer, http_answer_clear)

/* Fills *answer, always. A status counts once the header has come and the whole request is sent, also when the connection then
 * breaks or time is over: who has answered 200 has the message. */
void http_post(Http *http, const HttpRequest *request, HttpAnswer *answer);
