/* SPDX-License-Identifier: MIT */
#include "lib/submission/sender.h"

#include <json-c/json.h>
#include <string.h>

#include "lib/admission/author.h"
#include "lib/admission/form.h"
#include "lib/base/error.h"
#include "lib/base/id.h"
#include "lib/journal/event_json.h"
#include "lib/mime/field.h"
#include "lib/seal/claim.h"
#include "lib/submission/smtp_link.h"

struct Sender {
    const Config *config;
    Edge *edge;
    Journal *journal; /* NULL: what it sends is not journaled */
    IdSource *ids;
    SmtpPool *postfix;
    GRWLock ring_lock;
    KeyRing *ring;
};

static KeyRing *load_ring(const Config *config, GError **error)
{
    g_autofree char *path = config_path(config, CONFIG_KEY_DIR, "claim");

    return ring_load(path, error);
}

Sender *sender_open(const Config *config, const char *program, GError **error)
{
    g_autoptr(Sender) sender = g_new0(Sender, 1);
    g_autofree char *ids = config_path(config, CONFIG_SPOOL_DIR, "next-id");
    const JournalOptions options = {.min_free = (guint64)config_int(config, CONFIG_SPOOL_MIN_FREE)};

    sender->config = config;
    g_rw_lock_init(&sender->ring_lock);
    sender->edge = edge_open(config_string(config, CONFIG_EDGE_DIR));
    sender->postfix = smtp_pool_new((guint16)config_int(config, CONFIG_INJECT_PORT));
    if (!(sender->ring = load_ring(config, error)) ||
        !(sender->ids = id_source_open(ids, (unsigned)config_int(config, CONFIG_NODE_ID), error)) ||
        (program && !(sender->journal = journal_open(config_string(config, CONFIG_SPOOL_DIR),
                                                     program, &options, error))))
        return NULL;
    return g_steal_pointer(&sender);
}

void sender_close(Sender *sender)
{
    if (!sender)
        return;
    g_clear_pointer(&sender->postfix, smtp_pool_free);
    g_clear_pointer(&sender->journal, journal_close);
    g_clear_pointer(&sender->ids, id_source_close);
    g_clear_pointer(&sender->edge, edge_close);
    g_clear_pointer(&sender->ring, ring_free);
    g_rw_lock_clear(&sender->ring_lock);
    g_free(sender);
}

gboolean sender_reload(Sender *sender, GError **error)
{
    KeyRing *ring = load_ring(sender->config, error);

    if (!ring)
        return FALSE;
    g_rw_lock_writer_lock(&sender->ring_lock);
    KeyRing *old = sender->ring;
    sender->ring = ring;
    g_rw_lock_writer_unlock(&sender->ring_lock);
    ring_free(old);
    return TRUE;
}

const Config *sender_config(const Sender *sender)
{
    return sender->config;
}

Edge *sender_edge(Sender *sender)
{
    return sender->edge;
}

Journal *sender_journal(Sender *sender)
{
    return sender->journal;
}

static gboolean has_space(const Sender *sender, GError **error)
{
    return !sender->journal || journal_check_space(sender->journal, error);
}

gboolean sender_is_ready(Sender *sender, GError **error)
{
    gint64 epoch, revision;

    return edge_state(sender->edge, EDGE_FILE_DIRECTORY, &epoch, &revision, error) &&
           edge_state(sender->edge, EDGE_FILE_AUTH, &epoch, &revision, error) &&
           has_space(sender, error);
}

void sender_message_id(const Sender *sender, SubmissionNames *names)
{
    g_autofree char *uuid = g_uuid_string_random();

    g_snprintf(names->message_id, sizeof names->message_id, "%s@%s", uuid,
               config_string(sender->config, CONFIG_RETURN_PATH_DOMAIN));
}

gboolean sender_reserve(Sender *sender, guint n, SubmissionNames *names, GError **error)
{
    names->base = id_reserve(sender->ids, n, g_get_real_time() / G_USEC_PER_SEC);
    if (names->base != 0)
        return token_seed(names->seed, error);
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE,
                "no message id: the clock is wrong");
    return FALSE;
}

static V1Error judge_author(Sender *sender, const EdgeCredential *credential,
                            const Submission *submission, GError **error)
{
    g_auto(Author) author = {0};
    gboolean allowed = FALSE;

    if (!author_find(sender->edge, credential, submission->fields, &author, error))
        return V1_ERROR_UNAVAILABLE;
    if (author.authorised &&
        !author_senders_allowed(sender->edge, credential, submission->mail_from, &author, &allowed,
                                error))
        return V1_ERROR_UNAVAILABLE;
    return allowed ? V1_ERROR_NONE : V1_ERROR_UNAUTHENTICATED_FROM;
}

static V1Error judge_form(Sender *sender, const Submission *submission, char **text, GError **error)
{
    gint64 max = config_int(sender->config, CONFIG_MESSAGE_SIZE_MAX);
    gint64 received_max = config_int(sender->config, CONFIG_RECEIVED_MAX);

    if (submission_header_size(submission) > FORM_HEADER_MAX ||
        submission->fields->len > FORM_FIELDS_MAX || !form_is_signable(submission->fields)) {
        *text = g_strdup_printf("The header of the message has more than %d fields or %d octets, "
                                "or fields that are too large to be signed",
                                FORM_FIELDS_MAX, FORM_HEADER_MAX);
        return V1_ERROR_TOO_LARGE;
    }
    if (submission_size(submission) > (gsize)max) {
        *text = g_strdup_printf("The message has more than %" G_GINT64_FORMAT " octets", max);
        return V1_ERROR_TOO_LARGE;
    }
    if (mime_fields_count(submission->fields, "Received") > received_max)
        return V1_ERROR_LOOP;
    return has_space(sender, error) ? V1_ERROR_NONE : V1_ERROR_UNAVAILABLE;
}

V1Error sender_judge(Sender *sender, const EdgeCredential *credential, const Submission *submission,
                     V1Error later, char **text, GError **error)
{
    V1Error wrong = judge_author(sender, credential, submission, error);

    if (wrong == V1_ERROR_NONE)
        wrong = later;
    return wrong == V1_ERROR_NONE ? judge_form(sender, submission, text, error) : wrong;
}

/* submission.admitted; the milter tells the queue id, and whether its messages are made by the hop. */
static gboolean record(Sender *sender, const EdgeCredential *credential, const char *client,
                       const Submission *submission, const SubmissionNames *names, GError **error)
{
    gint64 now = g_get_real_time();
    json_object *object = event_json_begin((guint)config_int(sender->config, CONFIG_NODE_ID), now);
    json_object *rcpts = json_object_new_array(), *who = json_object_new_object();

    event_json_number(object, "server", credential->server);
    event_json_number(object, "base", names->base);
    event_json_number(object, "n", submission->rcpts->len);
    event_json_number(object, "credential", credential->id);
    event_json_text(object, "mail_from", submission->mail_from);
    for (guint i = 0; i < submission->rcpts->len; i++)
        json_object_array_add(rcpts, event_json_text_new(submission->rcpts->pdata[i]));
    json_object_object_add(object, "rcpts", rcpts);
    event_json_text(who, "ip", client);
    json_object_object_add(object, "client", who);
    g_autofree char *json = event_json_finish(object);
    const JournalEntry entry = {EVENT_SUBMISSION_ADMITTED, now, json, -1};
    return journal_append(sender->journal, &entry, 1, error);
}

static char *seal(Sender *sender, const EdgeCredential *credential, const Submission *submission,
                  const SubmissionNames *names)
{
    g_autoptr(Claim) claim = claim_new(submission->mail_from);

    claim->expires_at = g_get_real_time() / G_USEC_PER_SEC + CLAIM_GRACE +
                        config_int(sender->config, CONFIG_QUEUE_LIFETIME) / 1000;
    claim->base = names->base;
    memcpy(claim->seed, names->seed, sizeof claim->seed);
    claim->server = credential->server;
    claim->credential = credential->id;
    claim->tag = g_strdup(submission->tag);
    claim_hash_body(submission->body->str, submission->body->len, claim->body);
    for (guint i = 0; i < submission->rcpts->len; i++)
        claim_add_recipient(claim, submission->rcpts->pdata[i]);
    g_rw_lock_reader_lock(&sender->ring_lock);
    char *text = claim_seal(sender->ring, claim);
    g_rw_lock_reader_unlock(&sender->ring_lock);
    return text;
}

/* The header as it goes out: the claim first. */
static GString *write_head(const Submission *submission, const char *claim)
{
    g_autofree char *folded = claim_fold(claim, "\r\n");
    GString *head = g_string_new(NULL);

    g_string_append_printf(head, CLAIM_FIELD ":%s\r\n", folded);
    submission_write_fields(submission, head);
    g_string_append(head, "\r\n");
    return head;
}

char *sender_send(Sender *sender, const EdgeCredential *credential, const char *client,
                  const Submission *submission, const SubmissionNames *names, GError **error)
{
    g_autofree char *claim = seal(sender, credential, submission, names);

    if (!claim) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INTERNAL, "claim cannot be sealed");
        return NULL;
    }
    if (sender->journal && !record(sender, credential, client, submission, names, error))
        return NULL;
    g_autoptr(GString) head = write_head(submission, claim);
    const SmtpMail mail = {submission->mail_from, submission->rcpts, head, submission->body};
    return smtp_pool_send(sender->postfix, &mail, error);
}
