/* SPDX-License-Identifier: MIT */
/*
 * As in directory.c a verb that writes is one transaction that begins by taking the revision. A deleted organization or
 * server leaves its entries to housekeeping: they may be a million, and apply to nothing any more.
 */
#include "lib/directory/suppression.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/directory/directory.h"

#define US 1000000

void suppression_entry_clear(SuppressionEntry *entry)
{
    g_clear_pointer(&entry->address, g_free);
    g_clear_pointer(&entry->reason, g_free);
}

gboolean directory_suppression_owner(Sql *sql, const char *scope, SuppressionOwner *owner,
                                     GError **error)
{
    const char *const names[] = {scope, NULL};
    gboolean server = strchr(scope, '/') != NULL;

    if (g_str_equal(scope, suppression_scope_word(SUPPRESSION_OF_INSTALLATION))) {
        *owner = (SuppressionOwner){.scope = SUPPRESSION_OF_INSTALLATION};
        return TRUE;
    }
    g_autoptr(Record) record =
        directory_show(sql, server ? DIRECTORY_SERVER : DIRECTORY_ORGANIZATION, names, error);
    if (!record)
        return FALSE;
    owner->scope = server ? SUPPRESSION_OF_SERVER : SUPPRESSION_OF_ORGANIZATION;
    owner->id = (guint64)record_int(record, "id");
    return TRUE;
}

static gboolean is_given(const char *text)
{
    return text && *text;
}

gboolean suppression_entry_read(const char *address, const char *reason, const char *expires,
                                gint64 now, SuppressionEntry *entry, GError **error)
{
    g_auto(Value) recipient = {0};
    g_auto(Value) why = {0};
    g_auto(Value) end = {0};

    if (!value_read(VALUE_RECIPIENT, "address", address, now, &recipient, error) ||
        !value_read(VALUE_TITLE, "reason", is_given(reason) ? reason : SUPPRESSION_NO_REASON, now,
                    &why, error) ||
        (is_given(expires) && !value_read(VALUE_MOMENT, "expires", expires, now, &end, error)))
        return FALSE;
    entry->address = g_steal_pointer(&recipient.text);
    entry->reason = g_steal_pointer(&why.text);
    entry->expires_at = end.is == VALUE_IS_INT ? end.number : 0;
    return TRUE;
}

/* The work of a transaction. */
typedef struct {
    SuppressionOwner owner;
    SuppressionSource source;
    const SuppressionEntry *entries;
    guint n;
    const char *address; /* to remove; NULL: those of only_source, or all */
    const char *only_source;
    char *after; /* address that a batch begins behind */
    char *end;   /* and that the next one does */
    gint64 now;
    guint64 removed;
} Work;

static gboolean do_write(Sql *sql, gpointer data, GError **error)
{
    const Work *work = data;
    const char *scope = suppression_scope_word(work->owner.scope);
    const char *source = suppression_source_word(work->source);
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(SqlParameter));
    guint64 revision;

    if (!sql_next_revision(sql, &revision, error))
        return FALSE;
    for (guint i = 0; i < work->n; i++) {
        const SuppressionEntry *entry = &work->entries[i];
        const SqlParameter row[] = {
            SQL_TEXT(scope),          SQL_UNSIGNED(work->owner.id),
            SQL_TEXT(entry->address), SQL_TEXT(entry->reason),
            SQL_TEXT(source),         entry->expires_at ? SQL_INT(entry->expires_at) : SQL_NULL,
            SQL_INT(work->now),       SQL_UNSIGNED(revision)};
        g_array_append_vals(rows, row, G_N_ELEMENTS(row));
    }
    return sql_execute_rows(sql, SQL_SUPPRESSION_SET,
                            (const SqlParameter *)(gconstpointer)rows->data,
                            rows->len / MAX(work->n, 1), work->n, error);
}

gboolean directory_suppression_write(Sql *sql, const SuppressionOwner *owner,
                                     SuppressionSource source, const SuppressionEntry *entries,
                                     guint n, GError **error)
{
    Work work = {.owner = *owner,
                 .source = source,
                 .entries = entries,
                 .n = n,
                 .now = g_get_real_time() / US};

    g_return_val_if_fail(n <= SUPPRESSION_BATCH_MAX, FALSE);
    return n == 0 || sql_transaction(sql, do_write, &work, error);
}

static Record *find(Sql *sql, const SuppressionOwner *owner, const char *address, GError **error)
{
    const SqlParameter keys[] = {SQL_TEXT(suppression_scope_word(owner->scope)),
                                 SQL_UNSIGNED(owner->id), SQL_TEXT(address)};

    return record_first(sql, SQL_SUPPRESSION_FIND, keys, G_N_ELEMENTS(keys), error);
}

Record *directory_suppression_add(Sql *sql, const char *scope, const char *address,
                                  const char *reason, const char *expires, GError **error)
{
    g_auto(SuppressionEntry) entry = {0};
    SuppressionOwner owner;

    if (!suppression_entry_read(address, reason, expires, g_get_real_time() / US, &entry, error) ||
        !directory_suppression_owner(sql, scope, &owner, error) ||
        !directory_suppression_write(sql, &owner, SUPPRESSION_BY_MANUAL, &entry, 1, error))
        return NULL;
    g_autoptr(GError) why = NULL;
    g_autoptr(Record) record = find(sql, &owner, entry.address, &why);
    if (why)
        g_propagate_error(error, g_steal_pointer(&why));
    else if (!record)
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_CONFLICT,
                    "%s was removed at the same moment", entry.address);
    return g_steal_pointer(&record);
}

static gboolean take_end(const SqlRow *row, gpointer data, G_GNUC_UNUSED GError **error)
{
    *(char **)data = g_strdup(sql_row_text(row, 0));
    return TRUE;
}

/* Where the next batch begins, if this one is committed. */
static gboolean note_end(Sql *sql, guint64 revision, char **end, GError **error)
{
    const SqlParameter of[] = {SQL_UNSIGNED(revision)};

    return sql_query(sql, SQL_SUPPRESSION_TOMBSTONES_END, of, 1, take_end, end, error);
}

/* Up to a batch of them. */
static gboolean do_remove(Sql *sql, gpointer data, GError **error)
{
    Work *work = data;
    const char *scope = suppression_scope_word(work->owner.scope);
    const char *source = work->only_source ? work->only_source : "";
    guint64 revision;

    if (!sql_next_revision(sql, &revision, error))
        return FALSE;
    const SqlParameter one[] = {SQL_UNSIGNED(revision), SQL_INT(work->now), SQL_TEXT(scope),
                                SQL_UNSIGNED(work->owner.id), SQL_TEXT(work->address)};
    const SqlParameter some[] = {SQL_UNSIGNED(revision),
                                 SQL_INT(work->now),
                                 SQL_TEXT(scope),
                                 SQL_UNSIGNED(work->owner.id),
                                 SQL_TEXT(work->after ? work->after : ""),
                                 SQL_TEXT(source),
                                 SQL_TEXT(source),
                                 SQL_UNSIGNED(SUPPRESSION_BATCH_MAX)};
    gboolean marked = work->address ? sql_execute(sql, SQL_SUPPRESSION_TOMBSTONE, one,
                                                  G_N_ELEMENTS(one), &work->removed, NULL, error)
                                    : sql_execute(sql, SQL_SUPPRESSION_TOMBSTONES, some,
                                                  G_N_ELEMENTS(some), &work->removed, NULL, error);
    g_clear_pointer(&work->end, g_free);
    return marked && (work->address || note_end(sql, revision, &work->end, error)) &&
           sql_execute(sql, SQL_SUPPRESSION_DELETE, one, 1, NULL, NULL, error);
}

gboolean directory_suppression_remove(Sql *sql, const char *scope, const char *address,
                                      GError **error)
{
    g_auto(Value) recipient = {0};
    Work work = {.now = g_get_real_time() / US};

    if (!value_read(VALUE_RECIPIENT, "address", address, 0, &recipient, error) ||
        !directory_suppression_owner(sql, scope, &work.owner, error))
        return FALSE;
    work.address = recipient.text;
    if (!sql_transaction(sql, do_remove, &work, error))
        return FALSE;
    if (work.removed == 0)
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND, "%s is not suppressed for %s",
                    recipient.text, scope);
    return work.removed > 0;
}

static gboolean check_source(const char *source, GError **error)
{
    SuppressionSource found;

    if (!source || suppression_source_read(source, &found))
        return TRUE;
    g_autofree char *quoted = value_quote(source);
    g_autoptr(GString) allowed = g_string_new(NULL);
    for (guint i = 0; i < SUPPRESSION_SOURCE_COUNT; i++)
        g_string_append_printf(allowed, "%s%s", i ? ", " : "", suppression_source_word(i));
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "source: %s: allowed are %s", quoted,
                allowed->str);
    return FALSE;
}

gboolean directory_suppression_remove_all(Sql *sql, const SuppressionOwner *owner,
                                          const char *source, guint64 *removed, GError **error)
{
    Work work = {.owner = *owner, .only_source = source, .now = g_get_real_time() / US};
    gboolean good = TRUE;

    *removed = 0;
    do {
        good = sql_transaction(sql, do_remove, &work, error);
        if (good)
            *removed += work.removed;
        g_free(work.after);
        work.after = g_steal_pointer(&work.end);
    } while (good && work.removed == SUPPRESSION_BATCH_MAX);
    g_free(work.after);
    return good;
}

gboolean directory_suppression_clear(Sql *sql, const char *scope, const char *source,
                                     guint64 *removed, GError **error)
{
    SuppressionOwner owner;

    return check_source(source, error) && directory_suppression_owner(sql, scope, &owner, error) &&
           directory_suppression_remove_all(sql, &owner, source, removed, error);
}

Record *directory_suppression_list(Sql *sql, const SuppressionFilter *filter, GError **error)
{
    g_auto(Value) address = {0};
    g_auto(Value) domain = {0};
    SuppressionOwner owner = {0};

    if (!check_source(filter->source, error) ||
        (filter->address &&
         !value_read(VALUE_RECIPIENT, "address", filter->address, 0, &address, error)) ||
        (filter->domain &&
         !value_read(VALUE_DOMAIN, "domain", filter->domain, 0, &domain, error)) ||
        (filter->scope && !directory_suppression_owner(sql, filter->scope, &owner, error)))
        return NULL;
    const char *scope = filter->scope ? suppression_scope_word(owner.scope) : "";
    const char *one = address.text ? address.text : "";
    const char *name = domain.text ? domain.text : "";
    const char *source = filter->source ? filter->source : "";
    const SqlParameter parameters[] = {SQL_UNSIGNED(filter->after),
                                       SQL_TEXT(scope),
                                       SQL_TEXT(scope),
                                       SQL_UNSIGNED(owner.id),
                                       SQL_TEXT(one),
                                       SQL_TEXT(one),
                                       SQL_TEXT(name),
                                       SQL_TEXT(name),
                                       SQL_TEXT(source),
                                       SQL_TEXT(source),
                                       SQL_UNSIGNED(filter->limit)};
    return record_list(sql, SQL_SUPPRESSION_LIST, parameters, G_N_ELEMENTS(parameters), error);
}

Record *directory_suppression_show(Sql *sql, const char *address, GError **error)
{
    g_auto(Value) recipient = {0};

    if (!value_read(VALUE_RECIPIENT, "address", address, 0, &recipient, error))
        return NULL;
    const SqlParameter keys[] = {SQL_TEXT(recipient.text),
                                 SQL_TEXT(suppression_domain(recipient.text))};
    g_autoptr(Record) list = record_list(sql, SQL_SUPPRESSION_OF, keys, 2, error);
    if (!list || json_object_array_length(list) > 0)
        return g_steal_pointer(&list);
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND, "%s is not suppressed",
                recipient.text);
    return NULL;
}

Record *directory_suppression_for(Sql *sql, guint64 server, const char *recipient, gint64 now,
                                  GError **error)
{
    g_autofree char *address = suppression_lookup(recipient);

    if (!address)
        return json_object_new_array();
    const SqlParameter keys[] = {SQL_UNSIGNED(server), SQL_UNSIGNED(server), SQL_TEXT(address),
                                 SQL_TEXT(suppression_domain(address)), SQL_INT(now)};
    return record_list(sql, SQL_SUPPRESSION_FOR, keys, G_N_ELEMENTS(keys), error);
}
