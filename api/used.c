/* SPDX-License-Identifier: MIT */
#include "api/used.h"

#include <json-c/json.h>

typedef struct {
    guint32 server;
    gint64 count;
} Entry;

struct Used {
    Journal *journal;
    guint node;
    GMutex mutex;            /* guards both */
    GHashTable *credentials; /* id -> Entry */
    GHashTable *sources;     /* text -> Entry */
};

static GHashTable *credentials_new(void)
{
    return g_hash_table_new_full(NULL, NULL, NULL, g_free);
}

static GHashTable *sources_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

Used *used_new(Journal *journal, guint node)
{
    Used *used = g_new0(Used, 1);

    used->journal = journal;
    used->node = node;
    g_mutex_init(&used->mutex);
    used->credentials = credentials_new();
    used->sources = sources_new();
    return used;
}

void used_free(Used *used)
{
    if (!used)
        return;
    used_write(used, NULL);
    g_hash_table_unref(used->credentials);
    g_hash_table_unref(used->sources);
    g_mutex_clear(&used->mutex);
    g_free(used);
}

void used_count(Used *used, const EdgeCredential *credential)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&used->mutex);
    Entry *entry = g_hash_table_lookup(used->credentials, GUINT_TO_POINTER(credential->id));

    if (!entry && g_hash_table_size(used->credentials) >= USED_MAX)
        return;
    if (!entry) {
        entry = g_new0(Entry, 1);
        entry->server = credential->server;
        g_hash_table_insert(used->credentials, GUINT_TO_POINTER(credential->id), entry);
    }
    entry->count++;
}

void used_count_failure(Used *used, const char *source)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&used->mutex);
    Entry *entry = g_hash_table_lookup(used->sources, source);

    if (!entry && g_hash_table_size(used->sources) >= USED_MAX)
        return;
    if (!entry) {
        entry = g_new0(Entry, 1);
        g_hash_table_insert(used->sources, g_strdup(source), entry);
    }
    entry->count++;
}

static json_object *event_new(const Used *used, gint64 now, const Entry *entry)
{
    json_object *object = json_object_new_object();

    json_object_object_add(object, "v", json_object_new_int(1));
    json_object_object_add(object, "node", json_object_new_int((int)used->node));
    json_object_object_add(object, "at", json_object_new_int64(now));
    json_object_object_add(object, "count", json_object_new_int64(entry->count));
    return object;
}

static gboolean post(Used *used, EventType type, gint64 now, json_object *object, GError **error)
{
    const JournalEntry entry = {type, now,
                                json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN), -1};
    gboolean done = journal_post(used->journal, &entry, 1, error);

    json_object_put(object);
    return done;
}

static gboolean post_credential(Used *used, guint32 id, const Entry *entry, GError **error)
{
    gint64 now = g_get_real_time();
    json_object *object = event_new(used, now, entry);

    json_object_object_add(object, "server", json_object_new_int64(entry->server));
    json_object_object_add(object, "credential", json_object_new_int64(id));
    return post(used, EVENT_CREDENTIAL_USED, now, object, error);
}

static gboolean post_source(Used *used, const char *source, const Entry *entry, GError **error)
{
    gint64 now = g_get_real_time();
    json_object *object = event_new(used, now, entry);

    json_object_object_add(object, "ip", json_object_new_string(source));
    json_object_object_add(object, "mechanism", json_object_new_string("API"));
    json_object_object_add(object, "reason", json_object_new_string("unknown"));
    return post(used, EVENT_AUTH_FAILED, now, object, error);
}

gboolean used_write(Used *used, GError **error)
{
    g_autoptr(GHashTable) credentials = credentials_new(), sources = sources_new();
    GHashTableIter iterator;
    gpointer key, value;
    gboolean done = TRUE;

    g_mutex_lock(&used->mutex);
    GHashTable *full[] = {used->credentials, used->sources};
    used->credentials = g_steal_pointer(&credentials);
    used->sources = g_steal_pointer(&sources);
    g_mutex_unlock(&used->mutex);
    credentials = full[0];
    sources = full[1];
    g_hash_table_iter_init(&iterator, credentials);
    while (done && g_hash_table_iter_next(&iterator, &key, &value))
        done = post_credential(used, GPOINTER_TO_UINT(key), value, error);
    g_hash_table_iter_init(&iterator, sources);
    while (done && g_hash_table_iter_next(&iterator, &key, &value))
        done = post_source(used, key, value, error);
    return done;
}
