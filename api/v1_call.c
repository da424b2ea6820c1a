/* SPDX-License-Identifier: MIT */
#include "api/v1_call.h"

#include <stdatomic.h>
#include <string.h>

#include "api/json_body.h"
#include "api/v1_answer.h"
#include "api/v1_message.h"
#include "api/v1_raw.h"
#include "api/v1_request.h"
#include "lib/base/error.h"
#include "lib/base/network.h"
#include "lib/edge/edge_access.h"
#include "lib/log/log.h"
#include "lib/mime/field.h"
#include "lib/seal/digest.h"

/* A request while it is answered. */
typedef struct {
    V1Desk *desk;
    V1CallKind kind;
    HttpdRequest *request;
    gint64 since; /* monotonic, microseconds */
    EdgeCredential *credential;
    json_object *parameters;
    const char *repeat_key; /* NULL: none; borrowed */
    SubmissionNames names;
    Submission *submission;
    gboolean again;    /* it was begun before, and has its names of then */
    json_object *data; /* the answer's; not of what is read from history */
    V1Lookup lookup;
    HistoryAnswer history;
    V1Error wrong;
    char *text; /* of wrong; NULL: its own words */
} Call;

static void call_clear(Call *call)
{
    g_clear_pointer(&call->credential, edge_credential_free);
    g_clear_pointer(&call->parameters, json_object_put);
    g_clear_pointer(&call->submission, submission_free);
    g_clear_pointer(&call->data, json_object_put);
    g_clear_pointer(&call->text, g_free);
    history_answer_clear(&call->history);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Call, call_clear)

static void count(V1Desk *desk, ApidCounter counter, guint64 more)
{
    atomic_fetch_add(&desk->counters[counter], more);
}

/* Always FALSE: the call ends with that. */
static gboolean refuse(Call *call, V1Error wrong)
{
    call->wrong = wrong;
    return FALSE;
}

static gboolean refuse_as(Call *call, V1Error wrong, const char *text)
{
    call->text = g_strdup(text);
    return refuse(call, wrong);
}

/* What was wrong on our side is logged, and not told. */
static gboolean give_up(Call *call, const GError *error)
{
    log_error(NULL, "request cannot be done now", LOG_GERROR(error),
              LOG_TEXT("ip", call->request->client));
    return refuse(call, V1_ERROR_UNAVAILABLE);
}

static gboolean refuse_key(Call *call)
{
    g_autofree char *source = network_client(call->request->client);

    use_count_failed(call->desk->uses, source, "API", NULL, "unknown");
    log_info(NULL, "wrong key", LOG_TEXT("ip", call->request->client));
    return refuse(call, throttle_wait(call->desk->throttle, source) ? V1_ERROR_INVALID_KEY
                                                                    : V1_ERROR_THROTTLED);
}

/* By the hash of the key: what is compared says nothing of it. NULL and no error: there is none that is good. */
static EdgeCredential *find_credential(V1Desk *desk, const HttpdRequest *request, const char *key,
                                       GError **error)
{
    guint8 hash[EDGE_KEY_HASH_LENGTH];
    gint64 now = g_get_real_time() / G_USEC_PER_SEC;
    Edge *edge = sender_edge(desk->sender);
    g_autoptr(GError) failure = NULL;
    gboolean allowed = FALSE;

    edge_key_hash(key, hash);
    g_autoptr(EdgeCredential) found = edge_api_credential_by_key(edge, hash, now, &failure);
    if (!found && !g_error_matches(failure, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return NULL;
    }
    if (!found || edge_credential_unusable(found, now) ||
        !edge_network_allowed(edge, found, request->client, &allowed, error))
        return NULL;
    return allowed ? g_steal_pointer(&found) : NULL;
}

guint v1_holder(V1Desk *desk, const HttpdRequest *request)
{
    const char *key = httpd_field(request, V1_KEY_FIELD);
    g_autoptr(EdgeCredential) found =
        v1_is_blank(key) ? NULL : find_credential(desk, request, key, NULL);

    return found ? found->server : 0;
}

static gboolean authenticate(Call *call)
{
    const char *key = httpd_field(call->request, V1_KEY_FIELD);
    g_autoptr(GError) error = NULL;

    if (v1_is_blank(key))
        return refuse(call, V1_ERROR_ACCESS_DENIED);
    call->credential = find_credential(call->desk, call->request, key, &error);
    if (error)
        return give_up(call, error);
    if (!call->credential)
        return refuse_key(call);
    use_count_used(call->desk->uses, call->credential);
    call->request->state =
        g_strdup_printf("%s/%s/%u", call->credential->organization_permalink,
                        call->credential->server_permalink, call->credential->id);
    if (call->credential->server_suspended || call->credential->organization_suspended)
        return refuse(call, V1_ERROR_SUSPENDED);
    /* It became good while its body came. */
    return call->kind == V1_NO_BODY ? refuse(call, V1_ERROR_UNAVAILABLE) : TRUE;
}

static gboolean read_parameters(Call *call)
{
    const GByteArray *body = call->request->body;
    const V1Input input = {httpd_field(call->request, "Content-Type"), call->request->query,
                           body ? (const char *)body->data : "", body ? body->len : 0};
    g_autoptr(GError) error = NULL;

    call->parameters = v1_request_parameters(&input, &error);
    if (!call->parameters)
        return refuse_as(call, V1_ERROR_MALFORMED, error->message);
    call->repeat_key = httpd_field(call->request, V1_REPEAT_FIELD);
    if (call->repeat_key && !remembered_key_is_good(call->repeat_key))
        return refuse_as(call, V1_ERROR_MALFORMED,
                         V1_REPEAT_FIELD " must be 1 to " G_STRINGIFY(
                             REMEMBERED_KEY_MAX) " printable ASCII characters");
    return TRUE;
}

/* Where a message comes from, as Postal writes it; in privacy mode not from whom. */
static char *received_field(const Call *call, const char *date)
{
    const char *host = config_string(sender_config(call->desk->sender), CONFIG_HOSTNAME);
    const char *client = call->request->client;

    if (call->credential->privacy || !*client)
        return g_strdup_printf(" by %s with HTTP;\r\n %s", host, date);
    return g_strdup_printf(" from api ([%s%s]) by %s with HTTP;\r\n %s",
                           strchr(client, ':') ? "IPv6:" : "", client, host, date);
}

static void read_message(Call *call)
{
    g_autofree char *date = mime_date(g_get_real_time() / G_USEC_PER_SEC);
    g_autofree char *received = received_field(call, date);
    const LetterStamp stamp = {call->names.message_id, received, date};
    g_autoptr(Letter) message = v1_message_read(call->parameters, &call->wrong, &call->text);

    /* A later error is told only if From is good, which the submission shows. */
    if (message && (!call->wrong || call->wrong > V1_ERROR_UNAUTHENTICATED_FROM)) {
        V1Error wrong = V1_ERROR_NONE;
        call->submission = letter_compose(message, &stamp, &wrong, &call->text);
        if (!call->submission)
            call->wrong = wrong;
    }
}

/* Makes the submission, with the names as they are. */
static void read_submission(Call *call)
{
    g_clear_pointer(&call->submission, submission_free);
    call->wrong = V1_ERROR_NONE;
    if (call->kind == V1_SEND_MESSAGE)
        read_message(call);
    else
        call->submission = v1_raw_read(call->parameters, &call->wrong, &call->text);
}

static gboolean judge(Call *call)
{
    g_autoptr(GError) error = NULL;

    if (!call->submission)
        return FALSE;
    call->wrong = sender_judge(call->desk->sender, call->credential, call->submission, call->wrong,
                               &call->text, &error);
    return error ? give_up(call, error) : call->wrong == V1_ERROR_NONE;
}

/* What makes two requests the same: all that decides what is sent. */
static void digest_of(const Call *call, char text[DIGEST_TEXT_LENGTH])
{
    const char *const parts[] = {call->request->path, call->request->query,
                                 httpd_field(call->request, "Content-Type")};
    g_autoptr(Digest) digest = digest_new();

    for (guint i = 0; i < G_N_ELEMENTS(parts); i++)
        digest_add_text(digest, parts[i] ? parts[i] : "");
    if (call->request->body)
        digest_add(digest, call->request->body->data, call->request->body->len);
    digest_finish(digest, text);
}

/* It was taken: the answer, which is kept for the next request with this key. */
static void finish(Call *call)
{
    g_autoptr(GError) error = NULL;

    call->data = submission_data(call->submission, &call->names);
    if (!call->repeat_key)
        return;
    const char *answer = json_object_to_json_string_ext(call->data, JSON_C_TO_STRING_PLAIN);
    if (!remembered_done(call->desk->remembered, call->credential->server, call->repeat_key, answer,
                         &error))
        log_error(NULL, "an answer is not remembered", LOG_GERROR(error));
}

static void leave(Call *call, RememberedEnd end)
{
    if (call->repeat_key)
        remembered_undone(call->desk->remembered, call->credential->server, call->repeat_key, end);
}

/* Takes up a request whose end nobody saw. TRUE: it was not taken, and is to be done under its names of then. */
static gboolean take_up(Call *call)
{
    gint64 quiet = remembered_quiet(call->desk->remembered);
    Fate fate = FATE_OPEN;
    g_autoptr(GError) error = NULL;

    call->again = TRUE;
    read_submission(call);
    if (call->submission && history_desk_fate(call->desk->history, call->credential->server,
                                              call->names.base, quiet, &fate, &error)) {
        if (fate == FATE_NOT_TAKEN)
            return TRUE;
        if (fate == FATE_TAKEN) {
            finish(call);
            return FALSE;
        }
    }
    leave(call, REMEMBERED_UNCHANGED);
    if (error)
        return give_up(call, error);
    return call->submission ? refuse_as(call, V1_ERROR_KEY_BUSY,
                                        "The request with this Idempotency-Key was interrupted, "
                                        "and it is not known yet whether it was sent; try again")
                            : FALSE;
}

/* Looks whether it was done before: then that counts, whatever would be said of it now. TRUE: it is to be done. */
static gboolean claim(Call *call)
{
    char digest[DIGEST_TEXT_LENGTH];
    RememberedState state;
    g_autofree char *answer = NULL;
    g_autoptr(GError) error = NULL;

    if (!call->repeat_key)
        return TRUE;
    digest_of(call, digest);
    if (!remembered_claim(call->desk->remembered, call->credential->server, call->repeat_key,
                          digest, g_get_real_time() / G_USEC_PER_SEC, &call->names, &state, &answer,
                          &error))
        return give_up(call, error);
    switch (state) {
    case REMEMBERED_NEW:
        return TRUE;
    case REMEMBERED_AGAIN:
        return take_up(call);
    case REMEMBERED_BUSY:
        return refuse(call, V1_ERROR_KEY_BUSY);
    case REMEMBERED_ANOTHER:
        return refuse(call, V1_ERROR_KEY_REUSED);
    case REMEMBERED_ANSWERED:
    default:
        call->data = json_tokener_parse(answer);
        return FALSE;
    }
}

/* Gives it ids, and remembers that it is begun. What has no recipient is not sent, and not remembered. */
static gboolean begin(Call *call)
{
    guint recipients = call->submission->rcpts->len;
    g_autoptr(GError) error = NULL;

    if (call->again)
        return TRUE;
    if (!sender_reserve(call->desk->sender, MAX(1, recipients), &call->names, &error) ||
        (call->repeat_key && recipients > 0 &&
         !remembered_begin(call->desk->remembered, call->credential->server, call->repeat_key,
                           g_get_real_time() / G_USEC_PER_SEC, &call->names, &error)))
        return give_up(call, error);
    return TRUE;
}

static gboolean fail_sending(Call *call, const GError *error)
{
    leave(call, g_error_matches(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNKNOWN_RESULT)
                    ? REMEMBERED_UNSURE
                    : REMEMBERED_NOTHING);
    if (!g_error_matches(error, OUTRIDER_ERROR, OUTRIDER_ERROR_REFUSED))
        return give_up(call, error);
    log_warning(NULL, "Postfix refused a submission of the API", LOG_GERROR(error),
                LOG_TEXT("ip", call->request->client));
    return refuse_as(call, V1_ERROR_REFUSED, error->message);
}

static gboolean send_it(const Call *call, GError **error)
{
    const char *client = call->request->client;
    g_autofree char *queue_id = sender_send(call->desk->sender, call->credential, client,
                                            call->submission, &call->names, error);

    if (queue_id)
        log_info(queue_id, "submission of the API accepted", LOG_ID("id", call->names.base),
                 LOG_INT("server", call->credential->server),
                 LOG_INT("credential", call->credential->id),
                 LOG_INT("recipients", call->submission->rcpts->len), LOG_TEXT("ip", client));
    return queue_id != NULL;
}

static gboolean hand_over(Call *call)
{
    const Submission *submission = call->submission;
    g_autoptr(GError) error = NULL;

    if (submission->rcpts->len > 0 && !send_it(call, &error))
        return fail_sending(call, error);
    count(call->desk, APID_COUNTER_SUBMISSIONS, submission->rcpts->len > 0);
    count(call->desk, APID_COUNTER_MESSAGES, submission->rcpts->len);
    finish(call);
    return TRUE;
}

/* TRUE: call->data is that of a success. */
static gboolean send_once(Call *call)
{
    sender_message_id(call->desk->sender, &call->names);
    if (!claim(call)) {
        count(call->desk, APID_COUNTER_REPEATED, call->data != NULL);
        return call->data != NULL;
    }
    if (!call->again)
        read_submission(call);
    gboolean good = judge(call);
    if (good && begin(call))
        return hand_over(call);
    leave(call, good ? REMEMBERED_NOTHING : REMEMBERED_UNCHANGED);
    return FALSE;
}

/* TRUE: call->history has the data of a success. */
static gboolean read_history(Call *call)
{
    HistoryDesk *desk = call->desk->history;
    guint32 server = call->credential->server;
    g_autoptr(GError) error = NULL;

    V1Error wrong = v1_lookup_read(call->parameters, &call->lookup, &call->text);
    if (wrong != V1_ERROR_NONE)
        return refuse(call, wrong);
    gboolean done =
        call->kind == V1_READ_MESSAGE
            ? history_desk_message(desk, server, &call->lookup, &call->history, &error)
            : history_desk_deliveries(desk, server, &call->lookup, &call->history, &error);
    if (!done) {
        log_warning(NULL, "history cannot be read now", LOG_GERROR(error));
        return refuse(call, V1_ERROR_UNREADABLE);
    }
    if (!call->history.data)
        return refuse(call, V1_ERROR_MESSAGE_NOT_FOUND);
    count(call->desk, APID_COUNTER_READS, 1);
    return TRUE;
}

/* TRUE: call->data is that of a success, or call->history has it. */
static gboolean run(Call *call)
{
    if (!authenticate(call) || !read_parameters(call))
        return FALSE;
    if (call->kind == V1_READ_MESSAGE || call->kind == V1_READ_DELIVERIES)
        return read_history(call);
    return send_once(call);
}

static ApidCounter counter_of(V1Error wrong)
{
    switch (wrong) {
    case V1_ERROR_ACCESS_DENIED:
    case V1_ERROR_INVALID_KEY:
    case V1_ERROR_THROTTLED:
        return APID_COUNTER_UNAUTHENTICATED;
    case V1_ERROR_UNAVAILABLE:
    case V1_ERROR_UNREADABLE:
        return APID_COUNTER_UNAVAILABLE;
    default:
        return APID_COUNTER_REFUSED;
    }
}

void v1_call(V1Desk *desk, V1CallKind kind, HttpdRequest *request, HttpdAnswer *answer)
{
    g_auto(Call)
        call = {.desk = desk, .kind = kind, .request = request, .since = g_get_monotonic_time()};
    guint status = 200;
    g_autoptr(GBytes) body = NULL;

    if (run(&call)) {
        json_object *data =
            call.history.data ? g_steal_pointer(&call.history.data) : g_steal_pointer(&call.data);
        body = v1_answer_success(data, g_get_monotonic_time() - call.since);
    } else if (call.wrong == V1_ERROR_MESSAGE_NOT_FOUND) {
        body = v1_answer_not_found(call.lookup.given, g_get_monotonic_time() - call.since);
        count(desk, counter_of(call.wrong), 1);
    } else {
        const char *token =
            call.wrong == V1_ERROR_INVALID_KEY ? httpd_field(request, V1_KEY_FIELD) : NULL;
        status = v1_error_words(call.wrong)->http;
        body = v1_answer_error(call.wrong, call.text, token, g_get_monotonic_time() - call.since);
        count(desk, counter_of(call.wrong), 1);
    }
    httpd_answer(answer, status, JSON_BODY_TYPE "; charset=utf-8", body);
    if (call.wrong == V1_ERROR_KEY_BUSY)
        httpd_answer_field(answer, "Retry-After", HTTPD_RETRY_SECONDS);
}

void v1_refused(guint status, HttpdAnswer *answer)
{
    gboolean large = status == 413;
    g_autoptr(GBytes) body =
        v1_answer_error(large ? V1_ERROR_TOO_LARGE : V1_ERROR_UNAVAILABLE,
                        large ? "The request is larger than may be"
                              : "The request could not be taken now; try again later",
                        NULL, 0);

    httpd_answer(answer, status, JSON_BODY_TYPE "; charset=utf-8", body);
}
