/* SPDX-License-Identifier: MIT */
/*
 * Each change is one transaction that begins by taking the revision, as those of directory.c are: the keys that are read
 * after it stay as they are until the commit.
 */
#include "lib/directory/key.h"

#include "lib/base/error.h"
#include "lib/directory/value.h"

typedef struct {
    guint64 domain;
    guint64 key; /* 0: by selector */
    const char *selector;
    gint64 keep;
    gint64 after; /* how long a record must be away */
    gint64 now;
    guint64 revision;
    GPtrArray *made;  /* of DkimKey */
    GArray *replaces; /* of guint64, beside them */
    Record *keys;
    gboolean changed;
    guint count;
} Work;

static void work_clear(Work *work)
{
    g_clear_pointer(&work->made, g_ptr_array_unref);
    g_clear_pointer(&work->replaces, g_array_unref);
    g_clear_pointer(&work->keys, record_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Work, work_clear)

static gint64 now_seconds(void)
{
    return g_get_real_time() / G_USEC_PER_SEC;
}

static void free_key(gpointer key)
{
    dkim_key_free(key);
}

static void work_make(Work *work)
{
    work->made = g_ptr_array_new_with_free_func(free_key);
    work->replaces = g_array_new(FALSE, FALSE, sizeof(guint64));
}

gboolean key_insert(Sql *sql, const KeyInsert *insert, const DkimKey *key, GError **error)
{
    const SqlParameter parameters[] = {SQL_UNSIGNED(insert->domain),
                                       SQL_TEXT(key->selector),
                                       SQL_TEXT(key->algorithm),
                                       key->bits ? SQL_UNSIGNED(key->bits) : SQL_NULL,
                                       SQL_TEXT(key->private_key),
                                       SQL_TEXT(key->public_key),
                                       SQL_TEXT(key_state_word(insert->state)),
                                       insert->replaces ? SQL_UNSIGNED(insert->replaces) : SQL_NULL,
                                       insert->state == KEY_STATE_ACTIVE ? SQL_INT(insert->now)
                                                                         : SQL_NULL,
                                       SQL_INT(insert->now),
                                       SQL_UNSIGNED(insert->revision)};

    return sql_execute(sql, SQL_DKIM_KEY_ADD, parameters, G_N_ELEMENTS(parameters), NULL, NULL,
                       error);
}

Record *directory_key_list(Sql *sql, guint64 domain, GError **error)
{
    const SqlParameter parameters[] = {SQL_UNSIGNED(domain)};

    return record_list(sql, SQL_DKIM_KEY_LIST, parameters, 1, error);
}

static const Record *key_at(const Record *keys, gsize i)
{
    return json_object_array_get_idx(keys, i);
}

static KeyState state_of(const Record *key)
{
    return key_state_read(record_text(key, "state"));
}

static const Record *find_by_id(const Record *keys, gint64 id)
{
    for (gsize i = 0; i < json_object_array_length(keys); i++)
        if (record_int(key_at(keys, i), "id") == id)
            return key_at(keys, i);
    return NULL;
}

static const Record *find_by_selector(const Record *keys, const char *selector, GError **error)
{
    for (gsize i = 0; i < json_object_array_length(keys); i++)
        if (g_str_equal(record_text(key_at(keys, i), "selector"), selector))
            return key_at(keys, i);
    g_autofree char *quoted = value_quote(selector);
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND, "there is no key with selector %s",
                quoted);
    return NULL;
}

static guint count_active(const Record *keys)
{
    guint n = 0;

    for (gsize i = 0; i < json_object_array_length(keys); i++)
        n += state_of(key_at(keys, i)) == KEY_STATE_ACTIVE;
    return n;
}

/* Signs, or would if the DNS still showed it. */
static gboolean is_in_use(const Record *key)
{
    KeyState state = state_of(key);

    return state == KEY_STATE_ACTIVE || state == KEY_STATE_LOST;
}

/* Nothing stands behind that one. */
static gboolean is_last_of_installation(const Work *work, const Record *key)
{
    return work->domain == 0 && state_of(key) == KEY_STATE_ACTIVE && count_active(work->keys) == 1;
}

/* The key that waits to take the place of one; NULL: none. */
static const Record *successor_of(const Record *keys, gint64 id)
{
    for (gsize i = 0; i < json_object_array_length(keys); i++) {
        const Record *key = key_at(keys, i);
        if (record_int(key, "replaces") == id && state_of(key) == KEY_STATE_NEW)
            return key;
    }
    return NULL;
}

/* Takes the revision and reads the keys. */
static gboolean begin(Sql *sql, Work *work, GError **error)
{
    g_clear_pointer(&work->keys, record_free);
    work->changed = FALSE;
    return sql_next_revision(sql, &work->revision, error) &&
           (work->keys = directory_key_list(sql, work->domain, error)) != NULL;
}

static gboolean make_due(Sql *sql, const Work *work, GError **error)
{
    const SqlParameter due[] = {SQL_UNSIGNED(work->domain), SQL_INT(work->now)};

    return sql_execute(sql, SQL_DNS_CHECK_DUE_SET, due, 2, NULL, NULL, error);
}

static gboolean delete_key(Sql *sql, guint64 revision, gint64 id, GError **error)
{
    const SqlParameter stone[] = {SQL_UNSIGNED(revision), SQL_TEXT("dkim_key"), SQL_UNSIGNED(id)};
    const SqlParameter key[] = {SQL_UNSIGNED(id)};

    return sql_execute(sql, SQL_TOMBSTONE_ADD, stone, 3, NULL, NULL, error) &&
           sql_execute(sql, SQL_DKIM_KEY_DELETE, key, 1, NULL, NULL, error);
}

/* Lets an event happen to a key. */
static gboolean happen(Sql *sql, Work *work, const Record *key, KeyEvent event, GError **error)
{
    gint64 id = record_int(key, "id");
    KeyState old = state_of(key), next = key_state_next(old, event);
    const SqlParameter active[] = {SQL_INT(work->now), SQL_UNSIGNED(work->revision),
                                   SQL_UNSIGNED(id)};
    const SqlParameter retired[] = {SQL_INT(work->now), SQL_INT(work->now + work->keep),
                                    SQL_UNSIGNED(work->revision), SQL_UNSIGNED(id)};

    if (next == old)
        return TRUE;
    work->changed = TRUE;
    if (next == KEY_STATE_ACTIVE)
        return sql_execute(sql, SQL_DKIM_KEY_ACTIVATE, active, 3, NULL, NULL, error);
    if (next == KEY_STATE_LOST)
        return sql_execute(sql, SQL_DKIM_KEY_LOSE, active, 3, NULL, NULL, error);
    if (next == KEY_STATE_RETIRED)
        return sql_execute(sql, SQL_DKIM_KEY_RETIRE, retired, 4, NULL, NULL, error);
    return delete_key(sql, work->revision, id, error);
}

static gboolean insert_made(Sql *sql, Work *work, GError **error)
{
    if (json_object_array_length(work->keys) + work->made->len > KEYS_MAX) {
        g_set_error(
            error, OUTRIDER_ERROR, OUTRIDER_ERROR_REFUSED,
            "there are %zu keys, at most %d are allowed: retire one, or wait until a retired "
            "one may go",
            json_object_array_length(work->keys), KEYS_MAX);
        return FALSE;
    }
    for (guint i = 0; i < work->made->len; i++) {
        const KeyInsert insert = {work->domain, KEY_STATE_NEW,
                                  g_array_index(work->replaces, guint64, i), work->now,
                                  work->revision};
        if (!key_insert(sql, &insert, work->made->pdata[i], error))
            return FALSE;
    }
    return make_due(sql, work, error);
}

static gboolean do_init(Sql *sql, gpointer data, GError **error)
{
    Work *work = data;

    work->count = 0;
    if (!begin(sql, work, error))
        return FALSE;
    if (json_object_array_length(work->keys) > 0)
        return TRUE;
    const KeyInsert insert = {0, KEY_STATE_ACTIVE, 0, work->now, work->revision};
    for (; work->count < work->made->len; work->count++)
        if (!key_insert(sql, &insert, work->made->pdata[work->count], error))
            return FALSE;
    return TRUE;
}

static gboolean do_add(Sql *sql, gpointer data, GError **error)
{
    return begin(sql, data, error) && insert_made(sql, data, error);
}

static gboolean make(Work *work, const char *algorithm, guint bits, guint64 replaces,
                     GError **error)
{
    DkimKey *key = dkim_key_generate(algorithm, bits, error);

    if (!key)
        return FALSE;
    g_ptr_array_add(work->made, key);
    g_array_append_val(work->replaces, replaces);
    return TRUE;
}

gboolean directory_installation_init(Sql *sql, guint *made, GError **error)
{
    g_auto(Work) work = {.now = now_seconds()};

    work_make(&work);
    if (!make(&work, "rsa", DKIM_KEY_BITS, 0, error) || !make(&work, "ed25519", 0, 0, error) ||
        !sql_transaction(sql, do_init, &work, error))
        return FALSE;
    *made = work.count;
    return TRUE;
}

Record *directory_key_add(Sql *sql, guint64 domain, const char *algorithm, guint bits,
                          GError **error)
{
    g_auto(Work) work = {.domain = domain, .now = now_seconds()};

    work_make(&work);
    if (!make(&work, algorithm, bits, 0, error) || !sql_transaction(sql, do_add, &work, error))
        return NULL;
    return directory_key_list(sql, domain, error);
}

static gboolean may_rotate(const Work *work, const Record *key, GError **error)
{
    const Record *successor = successor_of(work->keys, record_int(key, "id"));

    if (is_in_use(key) && !successor)
        return TRUE;
    if (successor)
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_REFUSED,
                    "key %s is being rotated already: %s waits for the DNS",
                    record_text(key, "selector"), record_text(successor, "selector"));
    else
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_REFUSED,
                    "key %s is %s: only one that is active or lost is rotated",
                    record_text(key, "selector"), record_text(key, "state"));
    return FALSE;
}

/* Calls func for the keys in use, or the one that is named. */
static gboolean each_rotated(Work *work, gboolean (*func)(Work *, const Record *, GError **),
                             GError **error)
{
    guint n = 0;

    if (work->selector) {
        const Record *key = find_by_selector(work->keys, work->selector, error);
        return key && may_rotate(work, key, error) && func(work, key, error);
    }
    for (gsize i = 0; i < json_object_array_length(work->keys); i++) {
        const Record *key = key_at(work->keys, i);
        if (!is_in_use(key))
            continue;
        n++;
        if (!may_rotate(work, key, error) || !func(work, key, error))
            return FALSE;
    }
    if (n == 0)
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_REFUSED,
                    "no key signs yet, so there is none to rotate");
    return n > 0;
}

static gboolean make_like(Work *work, const Record *key, GError **error)
{
    return make(work, record_text(key, "algorithm"), (guint)record_int(key, "bits"),
                (guint64)record_int(key, "id"), error);
}

/* What was made before the transaction must still be what is to be replaced. */
static gboolean check_like(Work *work, const Record *key, GError **error)
{
    guint64 id = (guint64)record_int(key, "id");

    if (work->count < work->replaces->len &&
        g_array_index(work->replaces, guint64, work->count++) == id)
        return TRUE;
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE,
                "the keys have just been changed by somebody else: try again");
    return FALSE;
}

static gboolean do_rotate(Sql *sql, gpointer data, GError **error)
{
    Work *work = data;

    work->count = 0;
    return begin(sql, work, error) && each_rotated(work, check_like, error) &&
           insert_made(sql, work, error);
}

Record *directory_key_rotate(Sql *sql, guint64 domain, const char *selector, GError **error)
{
    g_auto(Work) work = {.domain = domain, .selector = selector, .now = now_seconds()};

    work_make(&work);
    /* A key takes a second to make: not while the directory waits. */
    if (!(work.keys = directory_key_list(sql, domain, error)) ||
        !each_rotated(&work, make_like, error) || !sql_transaction(sql, do_rotate, &work, error))
        return NULL;
    return directory_key_list(sql, domain, error);
}

static gboolean do_retire(Sql *sql, gpointer data, GError **error)
{
    Work *work = data;

    if (!begin(sql, work, error))
        return FALSE;
    const Record *key = find_by_selector(work->keys, work->selector, error);
    if (!key)
        return FALSE;
    if (is_last_of_installation(work, key)) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_REFUSED,
                    "key %s is the only one that signs for the installation: add or rotate first",
                    work->selector);
        return FALSE;
    }
    return happen(sql, work, key, KEY_WITHDRAWN, error);
}

Record *directory_key_retire(Sql *sql, guint64 domain, const char *selector, gint64 keep,
                             GError **error)
{
    g_auto(Work)
        work = {.domain = domain, .selector = selector, .keep = keep, .now = now_seconds()};

    return sql_transaction(sql, do_retire, &work, error) ? directory_key_list(sql, domain, error)
                                                         : NULL;
}

static gboolean do_activate(Sql *sql, gpointer data, GError **error)
{
    Work *work = data;

    if (!begin(sql, work, error))
        return FALSE;
    const Record *key = find_by_id(work->keys, (gint64)work->key);
    if (!key || (state_of(key) != KEY_STATE_NEW && state_of(key) != KEY_STATE_LOST))
        return TRUE;
    const Record *elder = find_by_id(work->keys, record_int(key, "replaces"));
    return happen(sql, work, key, KEY_SHOWN, error) &&
           (!elder || happen(sql, work, elder, KEY_REPLACED, error));
}

gboolean directory_key_activate(Sql *sql, guint64 domain, guint64 key, gint64 keep,
                                gboolean *changed, GError **error)
{
    g_auto(Work) work = {.domain = domain, .key = key, .keep = keep, .now = now_seconds()};

    if (!sql_transaction(sql, do_activate, &work, error))
        return FALSE;
    *changed = work.changed;
    return TRUE;
}

/* Of the keys that were read. */
static const Record *find_lost(const Work *work)
{
    const Record *key = find_by_id(work->keys, (gint64)work->key);

    return key && state_of(key) == KEY_STATE_ACTIVE && !is_last_of_installation(work, key) &&
                   key_state_is_lost(record_int(key, "vanished_at"),
                                     record_int(key, "vanished_looks"), work->now, work->after)
               ? key
               : NULL;
}

static gboolean do_lose(Sql *sql, gpointer data, GError **error)
{
    Work *work = data;

    if (!begin(sql, work, error))
        return FALSE;
    const Record *key = find_lost(work);
    return !key || happen(sql, work, key, KEY_VANISHED, error);
}

gboolean directory_key_vanished(Sql *sql, guint64 domain, guint64 key, const char *found,
                                gint64 after, gboolean *lost, GError **error)
{
    g_auto(Work) work = {.domain = domain, .key = key, .after = after, .now = now_seconds()};
    const SqlParameter vanished[] = {SQL_INT(work.now), SQL_TEXT(found), SQL_UNSIGNED(key)};

    if (!sql_execute(sql, SQL_DKIM_KEY_VANISHED, vanished, 3, NULL, NULL, error) ||
        !(work.keys = directory_key_list(sql, domain, error)))
        return FALSE;
    /* The directory's revision is for what changes there. */
    if (find_lost(&work) && !sql_transaction(sql, do_lose, &work, error))
        return FALSE;
    *lost = work.changed;
    return TRUE;
}

gboolean directory_key_seen(Sql *sql, guint64 key, GError **error)
{
    const SqlParameter id[] = {SQL_UNSIGNED(key)};

    return sql_execute(sql, SQL_DKIM_KEY_SEEN, id, 1, NULL, NULL, error);
}

static gboolean do_expire(Sql *sql, gpointer data, GError **error)
{
    Work *work = data;
    const SqlParameter now[] = {SQL_INT(work->now)};

    g_clear_pointer(&work->keys, record_free);
    work->count = 0;
    if (!sql_next_revision(sql, &work->revision, error) ||
        !(work->keys = record_list(sql, SQL_DKIM_KEY_REMOVABLE, now, 1, error)))
        return FALSE;
    for (; work->count < json_object_array_length(work->keys); work->count++)
        if (!delete_key(sql, work->revision, record_int(key_at(work->keys, work->count), "id"),
                        error))
            return FALSE;
    return TRUE;
}

gboolean directory_keys_expire(Sql *sql, guint *deleted, GError **error)
{
    g_auto(Work) work = {.now = now_seconds()};
    const SqlParameter now[] = {SQL_INT(work.now)};
    g_autoptr(Record) any = record_list(sql, SQL_DKIM_KEY_REMOVABLE, now, 1, error);

    *deleted = 0;
    if (!any)
        return FALSE;
    if (json_object_array_length(any) == 0)
        return TRUE;
    if (!sql_transaction(sql, do_expire, &work, error))
        return FALSE;
    *deleted = work.count;
    return TRUE;
}
