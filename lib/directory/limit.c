/* SPDX-License-Identifier: MIT */
/* As in directory.c a verb that writes is one transaction that begins by taking the revision. */
#include "lib/directory/limit.h"

#include "lib/base/error.h"

#define US      1000000
#define KEYS    3
#define DEFAULT LIMIT_DEFER

typedef struct {
    LimitTarget subject;
    LimitPeriod period;
    gboolean every_period;
    guint32 max;
    LimitAction action;
    gboolean keep_action;
    gint64 now;
    guint64 subject_id;
    guint64 revision;
    Record *record;
} Work;

static void work_clear(Work *work)
{
    limit_target_clear(&work->subject);
    g_clear_pointer(&work->record, record_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Work, work_clear)

/* The id of what the directory has by that name; 0 for a domain or user. */
static gboolean find_subject(Sql *sql, const LimitTarget *subject, guint64 *id, GError **error)
{
    static const DirectoryObject objects[] = {
        [LIMIT_ORGANIZATION] = DIRECTORY_ORGANIZATION,
        [LIMIT_SERVER] = DIRECTORY_SERVER,
        [LIMIT_CREDENTIAL] = DIRECTORY_CREDENTIAL,
    };
    const char *const names[] = {subject->owner, subject->name, NULL};

    *id = 0;
    if (!subject->owner)
        return TRUE;
    g_autoptr(Record) record = directory_show(sql, objects[subject->kind], names, error);
    if (!record)
        return FALSE;
    *id = (guint64)record_int(record, "id");
    return TRUE;
}

/* What the statements of one subject begin with. */
static void set_keys(const LimitTarget *subject, guint64 id, SqlParameter keys[KEYS])
{
    keys[0] = SQL_TEXT(limit_subject_word(subject->kind));
    keys[1] = SQL_UNSIGNED(id);
    keys[2] = SQL_TEXT(subject->owner ? "" : subject->name);
}

static gboolean not_found(const LimitTarget *subject, const char *period, GError **error)
{
    g_autofree char *text = limit_target_text(subject);

    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND, "%s has no limit%s%s", text,
                period ? " per " : "", period ? period : "");
    return FALSE;
}

/* The row of the subject and period, NULL without error when there is none. */
static gboolean reload(Sql *sql, Work *work, GError **error)
{
    SqlParameter parameters[KEYS + 1];
    g_autoptr(GError) why = NULL;

    set_keys(&work->subject, work->subject_id, parameters);
    parameters[KEYS] = SQL_TEXT(limit_period_word(work->period));
    g_clear_pointer(&work->record, record_free);
    work->record = record_first(sql, SQL_RATE_LIMIT_FIND, parameters, KEYS + 1, &why);
    if (!why)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&why));
    return FALSE;
}

static gboolean add(Sql *sql, const Work *work, GError **error)
{
    SqlParameter parameters[KEYS + 5];
    guint used = KEYS;

    set_keys(&work->subject, work->subject_id, parameters);
    parameters[used++] = SQL_TEXT(limit_period_word(work->period));
    parameters[used++] = SQL_UNSIGNED(work->max);
    parameters[used++] = SQL_TEXT(limit_action_word(work->keep_action ? DEFAULT : work->action));
    parameters[used++] = SQL_INT(work->now);
    parameters[used++] = SQL_UNSIGNED(work->revision);
    return sql_execute(sql, SQL_RATE_LIMIT_ADD, parameters, used, NULL, NULL, error);
}

static gboolean change(Sql *sql, const Work *work, GError **error)
{
    const char *old = record_text(work->record, "action");
    const SqlParameter parameters[] = {
        SQL_UNSIGNED(work->max),
        SQL_TEXT(work->keep_action ? old : limit_action_word(work->action)),
        SQL_UNSIGNED(work->revision), SQL_UNSIGNED(record_int(work->record, "id"))};

    return sql_execute(sql, SQL_RATE_LIMIT_CHANGE, parameters, G_N_ELEMENTS(parameters), NULL, NULL,
                       error);
}

static gboolean do_set(Sql *sql, gpointer data, GError **error)
{
    Work *work = data;

    return sql_next_revision(sql, &work->revision, error) &&
           find_subject(sql, &work->subject, &work->subject_id, error) &&
           reload(sql, work, error) &&
           (work->record ? change(sql, work, error) : add(sql, work, error)) &&
           reload(sql, work, error);
}

Record *directory_limit_set(Sql *sql, const char *subject, const char *rate, const char *action,
                            GError **error)
{
    g_auto(Work) work = {.now = g_get_real_time() / US, .keep_action = !action};

    if (!limit_target_read(subject, &work.subject, error) ||
        !limit_rate_read(rate, &work.max, &work.period, error) ||
        (action && !limit_target_action_read(action, &work.action, error)) ||
        !sql_transaction(sql, do_set, &work, error))
        return NULL;
    return g_steal_pointer(&work.record);
}

static Record *list_of(Sql *sql, const LimitTarget *subject, guint64 id, GError **error)
{
    SqlParameter keys[KEYS];

    set_keys(subject, id, keys);
    return record_list(sql, SQL_RATE_LIMIT_OF, keys, KEYS, error);
}

Record *directory_limit_list(Sql *sql, const char *subject, GError **error)
{
    g_auto(LimitTarget) read = {0};
    guint64 number;

    if (!subject)
        return record_list(sql, SQL_RATE_LIMIT_LIST, NULL, 0, error);
    if (!limit_target_read(subject, &read, error) || !find_subject(sql, &read, &number, error))
        return NULL;
    const SqlParameter id = SQL_UNSIGNED(number);
    switch (read.kind) {
    case LIMIT_ORGANIZATION:
        return record_list(sql, SQL_RATE_LIMIT_LIST_ORGANIZATION, &id, 1, error);
    case LIMIT_SERVER:
        return record_list(sql, SQL_RATE_LIMIT_LIST_SERVER, &id, 1, error);
    default:
        return list_of(sql, &read, number, error);
    }
}

Record *directory_limit_show(Sql *sql, const char *subject, GError **error)
{
    g_auto(LimitTarget) read = {0};
    guint64 id;

    if (!limit_target_read(subject, &read, error) || !find_subject(sql, &read, &id, error))
        return NULL;
    g_autoptr(Record) list = list_of(sql, &read, id, error);
    if (list && json_object_array_length(list) == 0) {
        not_found(&read, NULL, error);
        return NULL;
    }
    return g_steal_pointer(&list);
}

/* Tombstones and rows; period "": every one. *deleted receives how many. */
static gboolean delete_rows(Sql *sql, const SqlParameter keys[KEYS], const char *period,
                            guint64 revision, guint64 *deleted, GError **error)
{
    const SqlParameter parameters[] = {SQL_UNSIGNED(revision), keys[0],         keys[1], keys[2],
                                       SQL_TEXT(period),       SQL_TEXT(period)};
    guint n = G_N_ELEMENTS(parameters);

    return sql_execute(sql, SQL_RATE_LIMIT_TOMBSTONES, parameters, n, deleted, NULL, error) &&
           sql_execute(sql, SQL_RATE_LIMIT_DELETE, parameters + 1, n - 1, NULL, NULL, error);
}

static gboolean do_delete(Sql *sql, gpointer data, GError **error)
{
    Work *work = data;
    const char *period = work->every_period ? NULL : limit_period_word(work->period);
    SqlParameter keys[KEYS];
    guint64 deleted = 0;

    if (!sql_next_revision(sql, &work->revision, error) ||
        !find_subject(sql, &work->subject, &work->subject_id, error))
        return FALSE;
    set_keys(&work->subject, work->subject_id, keys);
    if (!delete_rows(sql, keys, period ? period : "", work->revision, &deleted, error))
        return FALSE;
    return deleted > 0 || not_found(&work->subject, period, error);
}

gboolean directory_limit_delete(Sql *sql, const char *subject, const char *period, GError **error)
{
    g_auto(Work) work = {.every_period = !period};

    return limit_target_read(subject, &work.subject, error) &&
           (!period || limit_target_period_read(period, &work.period, error)) &&
           sql_transaction(sql, do_delete, &work, error);
}

gboolean directory_limit_forget(Sql *sql, LimitSubject kind, guint64 id, guint64 revision,
                                GError **error)
{
    const SqlParameter keys[KEYS] = {SQL_TEXT(limit_subject_word(kind)), SQL_UNSIGNED(id),
                                     SQL_TEXT("")};

    return delete_rows(sql, keys, "", revision, NULL, error);
}
