/* SPDX-License-Identifier: MIT */
#include "lib/http/http.h"

#include <curl/curl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/error.h"
#include "lib/base/network_list.h"
#include "lib/base/public_address.h"
#include "lib/http/url.h"

struct Http {
    HttpSettings settings;
    CURL *curl;
    char detail[CURL_ERROR_SIZE];
    /* of the request that runs */
    const HttpRequest *request;
    HttpAnswer *answer;
    gsize sent, header;
    gboolean whole;        /* its header */
    guint opened, refused; /* sockets */
};

static const struct {
    const char *code, *text;
} failures[] = {
    {"2.0.0", "answered"},
#define X(NAME, code, text) {code, text},
#include "lib/http/http_failure.def"
#undef X
};

const char *http_failure_code(HttpOutcome failure)
{
    return failures[failure].code;
}

const char *http_failure_text(HttpOutcome failure)
{
    return failures[failure].text;
}

void http_answer_clear(HttpAnswer *answer)
{
    if (answer->answer)
        g_string_free(answer->answer, TRUE);
    g_free(answer->detail);
    *answer = (HttpAnswer){0};
}

static curl_socket_t on_socket(void *data, curlsocktype purpose, struct curl_sockaddr *at)
{
    Http *http = data;
    guint8 octets[NETWORK_OCTETS];

    if (purpose != CURLSOCKTYPE_IPCXN || !network_socket_address(&at->addr, octets) ||
        (!public_address(octets) &&
         !(http->settings.allow && network_list_has(http->settings.allow, octets)))) {
        http->refused++;
        return CURL_SOCKET_BAD;
    }
    http->opened++;
    return socket(at->family, at->socktype | SOCK_CLOEXEC, at->protocol);
}

static size_t on_read(char *buffer, size_t size, size_t n, void *data)
{
    Http *http = data;
    gsize length = source_read(http->request->body, http->sent, buffer, size * n);

    http->sent += length;
    return http->request->body->failed ? CURL_READFUNC_ABORT : length;
}

/* A connection that was kept had been closed: once more on a new one. */
static int on_seek(void *data, curl_off_t offset, int origin)
{
    Http *http = data;

    if (origin != SEEK_SET || offset < 0 || (guint64)offset > http->request->body->length)
        return CURL_SEEKFUNC_FAIL;
    http->sent = (gsize)offset;
    return CURL_SEEKFUNC_OK;
}

static size_t on_header(char *line, size_t size, size_t n, void *data)
{
    Http *http = data;

    http->header += size * n;
    if (size * n <= 2 || strncmp(line, "HTTP/", 5) == 0)
        http->whole = size * n <= 2;
    return http->header > HTTP_HEADER_MAX ? 0 : size * n;
}

/* 0 ends the transfer. */
static size_t on_answer(char *octets, size_t size, size_t n, void *data)
{
    const Http *http = data;
    GString *answer = http->answer->answer;
    gsize room = http->request->answer_max - answer->len;

    g_string_append_len(answer, octets, (gssize)MIN(room, size * n));
    return size * n < room ? size * n : 0;
}

static void set_trust(Http *http)
{
    const curl_version_info_data *version = curl_version_info(CURLVERSION_NOW);
    const char *more = http->settings.ca_file;

    /* A directory is looked into for the one authority that is needed; the system's file would be read whole. */
    if (version->capath) {
        curl_easy_setopt(http->curl, CURLOPT_CAPATH, version->capath);
        curl_easy_setopt(http->curl, CURLOPT_CAINFO, more && *more ? more : NULL);
    }
    curl_easy_setopt(http->curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(http->curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(http->curl, CURLOPT_SSL_VERIFYHOST, 2L);
}

static void set_up(Http *http)
{
    CURL *curl = http->curl;

    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, http->detail);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    /* A resolver that still waits when time is over is left behind. */
    curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, http->settings.user_agent);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, on_socket);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, http);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(curl, CURLOPT_READDATA, http);
    curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, on_seek);
    curl_easy_setopt(curl, CURLOPT_SEEKDATA, http);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, http);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_answer);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, http);
    set_trust(http);
}

static gpointer start_curl(gpointer data)
{
    (void)data;
    return GINT_TO_POINTER(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
}

static gboolean no_curl(GError **error)
{
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE, "libcurl does not start");
    return FALSE;
}

gboolean http_start(GError **error)
{
    static GOnce once = G_ONCE_INIT;

    return GPOINTER_TO_INT(g_once(&once, start_curl, NULL)) || no_curl(error);
}

Http *http_new(const HttpSettings *settings, GError **error)
{
    g_autoptr(Http) http = g_new0(Http, 1);

    http->settings = *settings;
    if (http_start(error) && !(http->curl = curl_easy_init()))
        no_curl(error);
    if (!http->curl)
        return NULL;
    set_up(http);
    return g_steal_pointer(&http);
}

void http_free(Http *http)
{
    if (!http)
        return;
    curl_easy_cleanup(http->curl);
    g_free(http);
}

static HttpOutcome failure_of(const Http *http, CURLcode code)
{
    switch (code) {
    case CURLE_URL_MALFORMAT:
        return HTTP_FAILED_URL;
    case CURLE_COULDNT_RESOLVE_HOST:
        return HTTP_FAILED_RESOLVE;
    case CURLE_COULDNT_CONNECT:
        return http->refused > 0 && http->opened == 0 ? HTTP_FAILED_TARGET : HTTP_FAILED_CONNECT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
        return HTTP_FAILED_TLS;
    case CURLE_OPERATION_TIMEDOUT:
        return HTTP_FAILED_TIMEOUT;
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FAILED_INIT:
    case CURLE_ABORTED_BY_CALLBACK: /* what is to be sent cannot be read */
        return HTTP_FAILED_INTERNAL;
    default:
        return HTTP_FAILED_BROKEN;
    }
}

/* An informational status is no answer, and a good one is about what was sent: about all of it. */
static gboolean has_answered(const Http *http, long status)
{
    gboolean good = status >= 200 && status < 300;

    return http->whole && http->header <= HTTP_HEADER_MAX && status >= 200 && status < 600 &&
           (!good || http->sent == http->request->body->length);
}

static void judge(Http *http, CURLcode code)
{
    HttpAnswer *answer = http->answer;
    long status = 0;
    curl_off_t wait = 0;

    curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(http->curl, CURLINFO_RETRY_AFTER, &wait);
    if (has_answered(http, status)) {
        answer->outcome = HTTP_ANSWERED;
        answer->status = (int)status;
        answer->wait = MAX(wait, 0);
        return;
    }
    answer->outcome = code == CURLE_OK ? HTTP_FAILED_BROKEN : failure_of(http, code);
    answer->detail = g_strdup(*http->detail ? http->detail : curl_easy_strerror(code));
}

static struct curl_slist *make_fields(const HttpRequest *request)
{
    /* Without: curl would wait a second for leave to send a large body. */
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");

    for (guint i = 0; request->fields[i]; i++)
        list = curl_slist_append(list, request->fields[i]);
    return list;
}

void http_post(Http *http, const HttpRequest *request, HttpAnswer *answer)
{
    const char *wrong = http_url_wrong(request->url);

    *answer = (HttpAnswer){.answer = g_string_new(NULL)};
    if (wrong) {
        answer->outcome = HTTP_FAILED_URL;
        answer->detail = g_strdup(wrong);
        return;
    }
    struct curl_slist *fields = make_fields(request);
    http->request = request;
    http->answer = answer;
    http->sent = http->header = 0;
    http->opened = http->refused = 0;
    http->whole = FALSE;
    *http->detail = '\0';
    curl_easy_setopt(http->curl, CURLOPT_URL, request->url);
    curl_easy_setopt(http->curl, CURLOPT_POST, 1L);
    curl_easy_setopt(http->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body->length);
    curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, fields);
    curl_easy_setopt(http->curl, CURLOPT_TIMEOUT, (long)request->seconds);
    curl_easy_setopt(http->curl, CURLOPT_CONNECTTIMEOUT, (long)request->connect_seconds);
    judge(http, curl_easy_perform(http->curl));
    curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(fields);
}
