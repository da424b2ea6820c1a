/* SPDX-License-Identifier: MIT */
#include "transport/post.h"

#include <signal.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/log/log.h"
#include "lib/mime/field.h"
#include "lib/mime/read.h"
#include "lib/seal/msgid.h"
#include "lib/seal/signing_key.h"
#include "transport/payload.h"
#include "transport/spooled.h"
#include "transport/wait_until.h"

#define TARGET          "endpoint/"
#define BOUNCE          "/bounce"
#define CONNECT_SECONDS 10
#define ANSWER_MAX      1024
#define HEADER_ROOM     (1024 * 1024) /* for what Postfix and we put in front of a message */
#define US              G_USEC_PER_SEC

/* What one attempt needs; whoever fails says so in the verdict. */
typedef struct {
    const Config *config;
    const PostOrder *order;
    Verdict *verdict;
    char *directory;
    EdgeEndpoint *endpoint;
    Spooled *message, *body;
    SigningKey *key;
    Signature *signature;
    Msgid msgid;
} Attempt;

static void attempt_clear(Attempt *attempt)
{
    g_free(attempt->directory);
    edge_endpoint_free(attempt->endpoint);
    spooled_free(attempt->message);
    spooled_free(attempt->body);
    signing_key_free(attempt->key);
    signature_free(attempt->signature);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Attempt, attempt_clear)

gboolean post_read_target(const char *text, PostOrder *order)
{
    gboolean bounce = g_str_has_suffix(text, BOUNCE);
    guint64 id = 0;

    if (!g_str_has_prefix(text, TARGET))
        return FALSE;
    text += strlen(TARGET);
    g_autofree char *number = g_strndup(text, strlen(text) - (bounce ? strlen(BOUNCE) : 0));
    if (!g_ascii_string_to_unsigned(number, 10, 1, G_MAXUINT32, &id, NULL))
        return FALSE;
    order->endpoint = (guint32)id;
    order->bounce = bounce;
    return TRUE;
}

/* Something of ours is not as it should be: the text for Postfix, the reason for the log. */
static gboolean later(const Attempt *attempt, const char *text, const GError *error)
{
    log_warning(attempt->order->queue_id, text, LOG_INT("endpoint", attempt->order->endpoint),
                LOG_GERROR(error));
    verdict_later(attempt->verdict,
                  error && error_class(error) == ERROR_CLASS_TEMPORARY ? "4.3.0" : "4.3.5", text);
    return FALSE;
}

static gboolean find_endpoint(Attempt *attempt)
{
    g_autoptr(Edge) edge = edge_open(config_string(attempt->config, CONFIG_EDGE_DIR));
    g_autoptr(GError) error = NULL;

    if (!edge_endpoint_by_id(edge, attempt->order->endpoint, &attempt->endpoint, &error))
        return later(attempt, "the replica cannot be read", error);
    if (attempt->endpoint && attempt->endpoint->kind == EDGE_ENDPOINT_HTTP)
        return TRUE;
    verdict_never(attempt->verdict, "5.3.5",
                  attempt->endpoint ? "this endpoint does not take HTTP"
                                    : "the endpoint does not exist any more");
    return FALSE;
}

static gboolean may_ask(Attempt *attempt)
{
    gint64 left =
        wait_until_left(attempt->directory, attempt->endpoint->id, g_get_real_time() / US);
    g_autofree char *text = NULL;

    if (left == 0)
        return TRUE;
    text =
        g_strdup_printf("HTTP endpoint %u wants to be left alone for %" G_GINT64_FORMAT " seconds",
                        attempt->endpoint->id, left);
    verdict_later(attempt->verdict, "4.3.2", text);
    return FALSE;
}

static gboolean read_message(Attempt *attempt, int input)
{
    gsize max = (gsize)config_int(attempt->config, CONFIG_MESSAGE_SIZE_MAX) + HEADER_ROOM;
    g_autoptr(GError) error = NULL;

    attempt->message = spooled_new(attempt->directory);
    if (spooled_read(attempt->message, input, max, &error))
        return TRUE;
    if (!g_error_matches(error, OUTRIDER_ERROR, OUTRIDER_ERROR_TOO_LARGE))
        return later(attempt, "the message cannot be read", error);
    verdict_never(attempt->verdict, "5.3.4", "the message is larger than message_size_max");
    return FALSE;
}

/* The milter has taken away what others wrote under that name, and stands first. */
static gboolean read_id(Attempt *attempt, const GString *head)
{
    g_autofree char *value = mime_field_first(head->str, head->len, MSGID_FIELD);
    g_autofree char *text = value ? mime_field_text(value) : NULL;

    return (text && msgid_read(text, &attempt->msgid)) ||
           later(attempt, "the message has no " MSGID_FIELD, NULL);
}

static gboolean take_piece(const char *octets, gsize length, gpointer context, GError **error)
{
    Attempt *attempt = context;

    signature_add(attempt->signature, octets, length);
    return spooled_add(attempt->body, octets, length, error);
}

static gboolean make_body(Attempt *attempt, Source *octets, const GString *head)
{
    const PayloadMessage message = {.id = attempt->msgid.id,
                                    .token = attempt->msgid.token,
                                    .sender = attempt->order->sender,
                                    .recipient = attempt->order->recipient,
                                    .bounce = attempt->order->bounce,
                                    .head = head,
                                    .octets = octets};
    g_autofree char *path = config_path(attempt->config, CONFIG_KEY_DIR, SIGNING_KEY_FILE);
    g_autoptr(GError) error = NULL;

    attempt->key = signing_key_load(path, &error);
    if (!attempt->key)
        return later(attempt, "the signing key cannot be read", error);
    attempt->body = spooled_new(attempt->directory);
    attempt->signature = signature_new(attempt->key, &error);
    return (attempt->signature &&
            payload_make(attempt->endpoint, &message, take_piece, attempt, &error)) ||
           later(attempt, "the request cannot be made", error);
}

/* Fields of the request, for g_strfreev. */
static char **make_fields(Attempt *attempt, GError **error)
{
    g_autofree char *sha1 = NULL;
    g_autofree char *sha256 = NULL;
    GStrvBuilder *fields;

    if (!signature_finish(attempt->signature, &sha1, &sha256, error))
        return NULL;
    const char *pairs[][2] = {
        {"Content-Type", attempt->endpoint->form ? PAYLOAD_FORM : PAYLOAD_JSON},
        {"X-Postal-Signature", sha1},
        {"X-Postal-Signature-256", sha256},
        {"X-Postal-Signature-KID", signing_key_id(attempt->key)},
    };
    fields = g_strv_builder_new();
    for (guint i = 0; i < G_N_ELEMENTS(pairs); i++) {
        g_autofree char *field = g_strconcat(pairs[i][0], ": ", pairs[i][1], NULL);
        g_strv_builder_add(fields, field);
    }
    g_autofree char *delivery =
        g_strdup_printf("X-Outrider-Delivery: %" G_GUINT64_FORMAT, attempt->msgid.id);
    g_strv_builder_add(fields, delivery);
    char **list = g_strv_builder_end(fields);
    g_strv_builder_unref(fields);
    return list;
}

/* After a good answer nothing may turn a message that was taken into one that comes again. */
static void hold_signals(void)
{
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
}

static void conclude(Attempt *attempt, const HttpAnswer *answer)
{
    const EdgeEndpoint *endpoint = attempt->endpoint;
    g_autoptr(GError) error = NULL;

    verdict_of_answer(endpoint, answer, attempt->verdict);
    if (attempt->verdict->status == 0) {
        hold_signals();
        return;
    }
    g_autofree char *said = verdict_text(answer->answer->str, answer->answer->len, ANSWER_MAX);
    log_warning(attempt->order->queue_id, "endpoint did not take a message",
                LOG_INT("endpoint", endpoint->id), LOG_TEXT("name", endpoint->name),
                LOG_INT("status", answer->status), LOG_TEXT("error", answer->detail),
                LOG_TEXT("answer", said));
    if (answer->wait > 0 && *attempt->verdict->line == '4' &&
        !wait_until_set(attempt->directory, endpoint->id, g_get_real_time() / US, answer->wait,
                        &error))
        log_warning(attempt->order->queue_id, "Retry-After cannot be kept", LOG_GERROR(error));
}

static void ask(Attempt *attempt, const GArray *allow)
{
    const HttpSettings settings = {.allow = allow,
                                   .ca_file = config_string(attempt->config, CONFIG_HTTP_CA_FILE),
                                   .user_agent = "Outrider/" PACKAGE_VERSION};
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) fields = make_fields(attempt, &error);
    g_autoptr(Http) http = fields ? http_new(&settings, &error) : NULL;
    g_auto(HttpAnswer) answer = {0};
    guint seconds = CLAMP(attempt->endpoint->timeout, 1, POST_SECONDS_MAX);
    Source body = spooled_source(attempt->body);

    if (!http) {
        later(attempt, "the request cannot be made", error);
        return;
    }
    const HttpRequest request = {.url = attempt->endpoint->url,
                                 .fields = (const char *const *)fields,
                                 .body = &body,
                                 .seconds = seconds,
                                 .connect_seconds = MIN(seconds, CONNECT_SECONDS),
                                 .answer_max = ANSWER_MAX};
    http_post(http, &request, &answer);
    conclude(attempt, &answer);
}

void post_message(const Config *config, const PostOrder *order, int input, Verdict *verdict)
{
    g_auto(Attempt) attempt = {.config = config,
                               .order = order,
                               .verdict = verdict,
                               .directory = config_path(config, CONFIG_SPOOL_DIR, "pipe")};
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) allow = config_networks(config, CONFIG_HTTP_ALLOW);

    if (!find_endpoint(&attempt) || !may_ask(&attempt) || !read_message(&attempt, input))
        return;
    Source octets = spooled_source(attempt.message);
    g_autoptr(GString) head = mime_read_head(&octets);
    if (!source_is_whole(&octets, "the message", &error)) {
        later(&attempt, "the message cannot be read", error);
        return;
    }
    if (read_id(&attempt, head) && make_body(&attempt, &octets, head))
        ask(&attempt, allow);
}
