/* SPDX-License-Identifier: MIT */
/* What is known about a message, a queue id or an address; and why nothing is, when nothing is. */
#include <string.h>

#include "cli/history.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/timeline.h"
#include "cli/visits.h"
#include "lib/base/error.h"
#include "lib/base/id.h"
#include "lib/directory/suppression.h"
#include "lib/journal/journal.h"
#include "lib/journal/reader.h"
#include "lib/seal/msgid.h"

#define QUEUE_ID_MAX     32
#define JOURNAL_SCAN_MAX 1000000 /* records of one journal that are looked through */
#define QUEUE_ID_LETTERS "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/* What suppresses the recipient now; known only once it was accepted or split. */
static gboolean add_suppressions(Sql *sql, Record *message, GError **error)
{
    const char *rcpt = record_text(message, "rcpt_to");
    Record *list =
        directory_suppression_for(sql, (guint64)record_int(message, "server_id"), rcpt ? rcpt : "",
                                  g_get_real_time() / G_USEC_PER_SEC, error);

    if (list)
        json_object_object_add(message, "suppressions", list);
    return list != NULL;
}

/* Joins what belongs to a message. */
static gboolean complete(Cli *cli, Record *message, GError **error)
{
    Sql *sql = cli->sql;
    const SqlParameter submission[] = {SQL_UNSIGNED(record_int(message, "submission_id"))};
    const SqlParameter lane[] = {SQL_UNSIGNED(record_int(message, "lane"))};
    g_autoptr(GError) why = NULL;

    if (!history_complete(sql, message, error) || !visits_complete(cli, message, error) ||
        !add_suppressions(sql, message, error))
        return FALSE;
    json_object_object_add(message, "submission",
                           record_first(sql, SQL_SUBMISSION_FIND, submission, 1, &why));
    if (!why)
        json_object_object_add(message, "address",
                               record_first(sql, SQL_LANE_ADDRESS, lane, 1, &why));
    if (!why)
        json_object_object_add(message, "smarthost",
                               record_first(sql, SQL_LANE_SMARTHOST, lane, 1, &why));
    if (!why)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&why));
    return FALSE;
}

typedef struct {
    guint64 id;  /* 0: what was asked for is no id */
    Msgid msgid; /* its token is "" if what was asked for is none */
    const char *queue_id;
    const char *address;
} Question;

/* A number may be an id or a short queue id; both are looked for. */
static gboolean read_question(const char *text, Question *question, GError **error)
{
    gsize length = strlen(text);

    if (msgid_read(text, &question->msgid))
        question->id = question->msgid.id;
    else if (id_parse(text, &question->id) ||
             (length >= 5 && length <= QUEUE_ID_MAX && strspn(text, QUEUE_ID_LETTERS) == length))
        question->queue_id = text;
    else if (strchr(text, '@') && g_utf8_validate(text, -1, NULL))
        question->address = text;
    else {
        g_autofree char *quoted = value_quote(text);
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID,
                    "%s: allowed are a message id, a value of " MSGID_FIELD
                    ", a queue id and a mail address",
                    quoted);
        return FALSE;
    }
    return TRUE;
}

/* Whoever writes a header can name any id in it, but knows no token of a message that he did not get. */
static Record *with_token(Record *messages, const char *token)
{
    Record *rest = json_object_new_array();

    for (gsize i = 0; i < json_object_array_length(messages); i++) {
        Record *message = json_object_array_get_idx(messages, i);
        if (g_strcmp0(record_text(message, "token"), token) == 0)
            json_object_array_add(rest, json_object_get(message));
    }
    return rest;
}

static Record *find_messages(Sql *sql, const Question *question, GError **error)
{
    const SqlParameter id[] = {SQL_UNSIGNED(question->id)};
    const SqlParameter address[] = {SQL_TEXT(question->address)};
    const SqlParameter queue_id[] = {SQL_TEXT(question->queue_id), SQL_TEXT(question->queue_id)};
    g_autoptr(Record) found = NULL;

    if (question->id)
        found = record_list(sql, SQL_MESSAGE_FIND, id, 1, error);
    if (*question->msgid.token)
        return found ? with_token(found, question->msgid.token) : NULL;
    if (question->id && (!found || json_object_array_length(found) > 0))
        return g_steal_pointer(&found);
    return question->address ? record_list(sql, SQL_MESSAGE_BY_RECIPIENT, address, 1, error)
                             : record_list(sql, SQL_MESSAGE_BY_QUEUE_ID, queue_id, 2, error);
}

/* Those that were, or are, in Postfix's queue under that id to be split; each with its messages. */
static Record *find_submissions(Sql *sql, const Question *question, GError **error)
{
    const SqlParameter queue_id[] = {SQL_TEXT(question->queue_id)};
    g_autoptr(Record) found = question->queue_id
                                  ? record_list(sql, SQL_SUBMISSION_BY_QUEUE_ID, queue_id, 1, error)
                                  : json_object_new_array();

    for (gsize i = 0; found && i < json_object_array_length(found); i++) {
        Record *submission = json_object_array_get_idx(found, i);
        guint64 base = (guint64)record_int(submission, "id");
        guint n = (guint)MAX(record_int(submission, "recipients"), 1);
        const SqlParameter range[] = {SQL_UNSIGNED(base), SQL_UNSIGNED(id_at(base, n - 1)),
                                      SQL_UNSIGNED(base)};
        Record *messages =
            record_list(sql, SQL_MESSAGE_BY_SUBMISSION, range, G_N_ELEMENTS(range), error);
        if (!messages)
            return NULL;
        json_object_object_add(submission, "messages", messages);
    }
    return g_steal_pointer(&found);
}

/* The records without those whose key is the id of one of the others. */
static Record *without(Record *records, const char *key, Record *others)
{
    Record *rest = json_object_new_array();

    for (gsize i = 0; i < json_object_array_length(records); i++) {
        Record *record = json_object_array_get_idx(records, i);
        gboolean among = FALSE;
        for (gsize k = 0; !among && k < json_object_array_length(others); k++)
            among =
                record_int(record, key) == record_int(json_object_array_get_idx(others, k), "id");
        if (!among)
            json_object_array_add(rest, json_object_get(record));
    }
    return rest;
}

static Record *find_refusals(Sql *sql, const Question *question, GError **error)
{
    const SqlParameter address[] = {SQL_TEXT(question->address)};
    const SqlParameter ids[] = {SQL_UNSIGNED(question->id), SQL_TEXT(question->queue_id)};

    if (*question->msgid.token)
        return json_object_new_array();
    return question->address ? record_list(sql, SQL_REFUSAL_BY_RECIPIENT, address, 1, error)
                             : record_list(sql, SQL_REFUSAL_FIND, ids, 2, error);
}

/* Whether word stands in text, and not as a part of a longer word or number. */
static gboolean has_word(const char *text, const char *word)
{
    gsize length = strlen(word);

    for (const char *p = strstr(text, word); p; p = strstr(p + 1, word))
        if ((p == text || !g_ascii_isalnum(p[-1])) && !g_ascii_isalnum(p[length]))
            return TRUE;
    return FALSE;
}

/* The first record of a journal that has the word, as "type in the journal of program"; NULL when
 * there is none or it cannot be read. g_free. */
static char *find_in_journal(const char *spool, const char *program, const char *word)
{
    g_autoptr(JournalReader) reader = journal_reader_open(spool, program, 0, NULL);

    for (guint i = 0; reader && i < JOURNAL_SCAN_MAX; i++) {
        JournalRecord record;
        if (journal_reader_next(reader, &record, NULL) != JOURNAL_READ_RECORD)
            return NULL;
        if (!has_word(record.json, word))
            continue;
        const char *name = event_name(record.type);
        return g_strdup_printf("%s in the journal of %s", name ? name : "an event", program);
    }
    return NULL;
}

/* Nothing was found: says why that may be. */
static gboolean explain_nothing(Cli *cli, const Question *question, GError **error)
{
    const char *word = *question->msgid.token ? question->msgid.token : cli->arguments[0];
    const char *spool = config_string(cli->config, CONFIG_SPOOL_DIR);
    g_autofree char *quoted = value_quote(cli->arguments[0]);
    g_auto(GStrv) programs = journal_programs(spool, NULL);

    for (char **program = programs; program && *program; program++) {
        g_autofree char *found = find_in_journal(spool, *program, word);
        if (!found)
            continue;
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND,
                    "%s is not in the history yet: it is named by %s, which outrider-worker has "
                    "not applied (is it running?)",
                    quoted, found);
        return FALSE;
    }
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND,
                "%s is not in the history: it was never accepted here, is older than "
                "%" G_GINT64_FORMAT " days, or was accepted by another host whose worker has not "
                "applied its events yet",
                quoted, config_int(cli->config, CONFIG_HISTORY_DAYS));
    return FALSE;
}

/* All that is found. */
typedef struct {
    Record *submissions;
    Record *messages;
    Record *refusals;
} Answer;

static void answer_clear(Answer *answer)
{
    record_free(answer->submissions);
    record_free(answer->messages);
    record_free(answer->refusals);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Answer, answer_clear)

/* Nothing is told twice: the messages of a submission stand with it, and one that was discarded after
 * its submission was accepted is a message, not a refusal. */
static gboolean find_all(Cli *cli, const Question *question, Answer *answer, GError **error)
{
    Sql *sql = cli->sql;
    g_autoptr(Record) submissions = find_submissions(sql, question, error);
    g_autoptr(Record) messages = submissions ? find_messages(sql, question, error) : NULL;
    g_autoptr(Record) refusals = messages ? find_refusals(sql, question, error) : NULL;

    if (!refusals)
        return FALSE;
    g_autoptr(Record) alone = without(messages, "submission_id", submissions);
    for (gsize i = 0; i < json_object_array_length(alone); i++)
        if (!complete(cli, json_object_array_get_idx(alone, i), error))
            return FALSE;
    answer->refusals = without(refusals, "id", messages);
    answer->submissions = g_steal_pointer(&submissions);
    answer->messages = g_steal_pointer(&alone);
    return TRUE;
}

static void print_each(const Record *list, void (*print)(const Record *record))
{
    for (gsize i = 0; i < json_object_array_length(list); i++)
        print(json_object_array_get_idx(list, i));
}

gboolean explain(Cli *cli, GError **error)
{
    Question question = {0};
    g_auto(Answer) answer = {0};

    if (!read_question(cli->arguments[0], &question, error))
        return FALSE;
    Sql *sql = cli_sql(cli, error);
    if (!sql || !find_all(cli, &question, &answer, error))
        return FALSE;
    if (json_object_array_length(answer.submissions) + json_object_array_length(answer.messages) +
            json_object_array_length(answer.refusals) ==
        0)
        return explain_nothing(cli, &question, error);
    if (cli->json) {
        g_autoptr(Record) all = json_object_new_object();
        json_object_object_add(all, "submissions", json_object_get(answer.submissions));
        json_object_object_add(all, "messages", json_object_get(answer.messages));
        json_object_object_add(all, "refusals", json_object_get(answer.refusals));
        return output_json(cli, all);
    }
    print_each(answer.submissions, timeline_print_submission);
    print_each(answer.messages, timeline_print_message);
    print_each(answer.refusals, timeline_print_refusal);
    return TRUE;
}
