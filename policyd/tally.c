/* SPDX-License-Identifier: MIT */
#include "policyd/tally.h"

#include <json-c/json.h>

#include "lib/admission/use_count.h"
#include "lib/journal/event_json.h"
#include "lib/journal/journal.h"
#include "lib/log/log.h"

struct Tally {
    char *spool_dir;
    guint node;
    Journal *journal; /* opened with the first event */
    UseCount *uses;
    GPtrArray *limits; /* LimitEvent */
};

typedef struct {
    EventType type;
    gint64 at_us;
    char *json;
} LimitEvent;

static void limit_event_free(gpointer data)
{
    LimitEvent *event = data;

    g_free(event->json);
    g_free(event);
}

Tally *tally_new(const char *spool_dir, guint node)
{
    Tally *tally = g_new0(Tally, 1);

    tally->spool_dir = g_strdup(spool_dir);
    tally->node = node;
    tally->uses = use_count_new(node);
    tally->limits = g_ptr_array_new_with_free_func(limit_event_free);
    return tally;
}

void tally_free(Tally *tally)
{
    if (!tally)
        return;
    tally_write_limits(tally);
    tally_write(tally);
    journal_close(tally->journal);
    use_count_free(tally->uses);
    g_ptr_array_unref(tally->limits);
    g_free(tally->spool_dir);
    g_free(tally);
}

void tally_used(Tally *tally, const EdgeCredential *credential)
{
    use_count_used(tally->uses, credential);
}

void tally_failed(Tally *tally, const char *source, const char *mechanism, const char *username,
                  const char *reason)
{
    use_count_failed(tally->uses, source, mechanism, username, reason);
}

/* A journal that cannot be opened is tried again with the next events. */
static gboolean open_journal(Tally *tally, GError **error)
{
    if (!tally->journal)
        tally->journal =
            journal_open(tally->spool_dir, journal_program_name(JOURNAL_OF_POLICYD), NULL, error);
    return tally->journal != NULL;
}

void tally_write(Tally *tally)
{
    g_autoptr(GError) error = NULL;

    if (use_count_is_empty(tally->uses))
        return;
    if (!open_journal(tally, &error) || !use_count_write(tally->uses, tally->journal, &error))
        log_warning(NULL, "journal not writable, authentications not recorded", LOG_GERROR(error));
}

/* For the next writing; takes json over. */
static void keep(Tally *tally, EventType type, gint64 at_us, json_object *json)
{
    LimitEvent *event = g_new(LimitEvent, 1);

    *event = (LimitEvent){type, at_us, event_json_finish(json)};
    g_ptr_array_add(tally->limits, event);
}

void tally_limit(Tally *tally, EventType type, const EdgeLimit *limit, guint64 count)
{
    gint64 now = g_get_real_time();

    if (tally->limits->len >= TALLY_MAX)
        return;
    json_object *json = event_json_begin(tally->node, now);
    event_json_number(json, "limit", limit->id);
    event_json_text(json, "subject", limit_subject_word(limit->subject));
    event_json_number(json, "subject_id", limit->subject_id);
    event_json_text(json, "subject_name", limit->subject_name);
    event_json_text(json, "period", limit_period_word(limit->period));
    event_json_number(json, "max", limit->max);
    event_json_text(json, "action", limit_action_word(limit->action));
    event_json_number(json, "count", count);
    keep(tally, type, now, json);
}

/* "" is nothing. */
static void add_text(json_object *json, const char *key, const char *text)
{
    event_json_text(json, key, *text ? text : NULL);
}

void tally_refused(Tally *tally, const TallyRefusal *refusal)
{
    gint64 now = g_get_real_time();

    if (tally->limits->len >= TALLY_MAX)
        return;
    json_object *json = event_json_begin(tally->node, now);
    json_object *client = json_object_new_object();
    event_json_number(json, "id", refusal->id);
    event_json_number(json, "server", refusal->credential->server);
    event_json_number(json, "credential", refusal->credential->id);
    add_text(json, "queue_id", refusal->queue_id);
    add_text(json, "mail_from", refusal->sender);
    add_text(json, "rcpt", refusal->recipient);
    add_text(json, "code", refusal->code);
    add_text(json, "text", refusal->text);
    add_text(json, "rule", refusal->rule);
    add_text(client, "ip", refusal->client);
    json_object_object_add(json, "client", client);
    keep(tally, EVENT_MESSAGE_REFUSED, now, json);
}

void tally_write_limits(Tally *tally)
{
    g_autoptr(GError) error = NULL;

    if (tally->limits->len == 0)
        return;
    gboolean done = open_journal(tally, &error);
    for (guint i = 0; i < tally->limits->len && done; i++) {
        const LimitEvent *event = tally->limits->pdata[i];
        const JournalEntry line = {
            .type = event->type, .at_us = event->at_us, .json = event->json, .length = -1};
        done = journal_post(tally->journal, &line, 1, &error);
    }
    if (!done)
        log_warning(NULL, "journal not writable, limits not recorded", LOG_GERROR(error));
    g_ptr_array_set_size(tally->limits, 0);
}
