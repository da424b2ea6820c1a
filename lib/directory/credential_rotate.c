/* SPDX-License-Identifier: MIT */
#include "lib/directory/credential_rotate.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/config/value.h"
#include "lib/directory/credential_secret.h"
#include "lib/directory/directory.h"
#include "lib/edge/edge.h"
#include "lib/wire/cram.h"

typedef struct {
    const char *const *names;
    const char *key;
    gint64 until; /* 0: the old key ends now */
    Record *record;
} Rotation;

static gboolean read_overlap(const char *text, gint64 *ms, GError **error)
{
    static const Option row = {
        .key = "overlap", .type = OPTION_DURATION, .max = CREDENTIAL_OVERLAP_MAX_MS};
    OptionValue value = {0};

    if (!option_parse(&row, text, &value, error)) {
        g_autofree char *quoted = value_quote(text);
        g_prefix_error(error, "overlap: %s: ", quoted);
        return FALSE;
    }
    *ms = value.number;
    g_free(value.text);
    return TRUE;
}

static gboolean show(Sql *sql, Rotation *rotation, GError **error)
{
    g_clear_pointer(&rotation->record, record_free);
    rotation->record = directory_show(sql, DIRECTORY_CREDENTIAL, rotation->names, error);
    return rotation->record != NULL;
}

static gboolean do_rotate(Sql *sql, gpointer data, GError **error)
{
    Rotation *rotation = data;
    guint8 hash[EDGE_KEY_HASH_LENGTH], cram[CRAM_STATE_LENGTH];
    guint64 revision, changed = 0;

    if (!sql_next_revision(sql, &revision, error) || !show(sql, rotation, error))
        return FALSE;
    edge_key_hash(rotation->key, hash);
    cram_state_make(rotation->key, cram);
    const SqlParameter until = rotation->until ? SQL_INT(rotation->until) : SQL_NULL;
    const SqlParameter parameters[] = {until,
                                       until,
                                       until,
                                       SQL_OCTETS(hash, sizeof hash),
                                       SQL_OCTETS(cram, sizeof cram),
                                       SQL_UNSIGNED(revision),
                                       SQL_UNSIGNED(record_int(rotation->record, "id"))};
    if (!sql_execute(sql, SQL_CREDENTIAL_SECRET_ROTATE, parameters, G_N_ELEMENTS(parameters),
                     &changed, NULL, error))
        return FALSE;
    if (changed == 0) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_REFUSED,
                    "credential %s has no key: its networks are what it works by",
                    record_text(rotation->record, "name"));
        return FALSE;
    }
    return show(sql, rotation, error);
}

Record *directory_credential_rotate(Sql *sql, const char *const *names, const char *overlap,
                                    GError **error)
{
    gint64 ms;

    if (!read_overlap(overlap ? overlap : CREDENTIAL_OVERLAP, &ms, error))
        return NULL;
    g_autofree char *key = credential_key_generate(error);
    Rotation rotation = {.names = names, .key = key};
    if (!key)
        return NULL;
    if (ms > 0)
        rotation.until = (g_get_real_time() / 1000 + ms + 999) / 1000;
    gboolean done = sql_transaction(sql, do_rotate, &rotation, error);
    g_autoptr(Record) record = rotation.record;
    if (done)
        json_object_object_add(record, "key", json_object_new_string(key));
    explicit_bzero(key, strlen(key));
    return done ? g_steal_pointer(&record) : NULL;
}

static gboolean do_expire(Sql *sql, gpointer data, GError **error)
{
    guint64 revision;

    if (!sql_next_revision(sql, &revision, error))
        return FALSE;
    const SqlParameter parameters[] = {SQL_UNSIGNED(revision), SQL_INT(*(const gint64 *)data)};
    return sql_execute(sql, SQL_OLD_KEYS_EXPIRE, parameters, 2, NULL, NULL, error);
}

gboolean directory_old_keys_expire(Sql *sql, gint64 now, GError **error)
{
    const SqlParameter parameters[] = {SQL_INT(now)};
    g_autoptr(GError) why = NULL;
    g_autoptr(Record) any = record_first(sql, SQL_OLD_KEYS_FIND, parameters, 1, &why);

    if (why) {
        g_propagate_error(error, g_steal_pointer(&why));
        return FALSE;
    }
    return !any || sql_transaction(sql, do_expire, &now, error);
}
