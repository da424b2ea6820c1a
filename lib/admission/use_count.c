/* SPDX-License-Identifier: MIT */
#include "lib/admission/use_count.h"

#include "lib/journal/event_json.h"

#define USERNAME_MAX 128 /* octets */

/* Of a credential or of a source. */
typedef struct {
    guint32 credential, server;
    char *source, *username, *reason;
    const char *mechanism;
    guint count;
} Entry;

struct UseCount {
    guint node;
    GMutex mutex; /* guards both */
    GHashTable *used, *failed;
};

static void entry_free(gpointer data)
{
    Entry *entry = data;

    g_free(entry->source);
    g_free(entry->username);
    g_free(entry->reason);
    g_free(entry);
}

static GHashTable *used_new(void)
{
    return g_hash_table_new_full(NULL, NULL, NULL, entry_free);
}

static GHashTable *failed_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, NULL, entry_free);
}

UseCount *use_count_new(guint node)
{
    UseCount *uses = g_new0(UseCount, 1);

    uses->node = node;
    g_mutex_init(&uses->mutex);
    uses->used = used_new();
    uses->failed = failed_new();
    return uses;
}

void use_count_free(UseCount *uses)
{
    if (!uses)
        return;
    g_hash_table_unref(uses->used);
    g_hash_table_unref(uses->failed);
    g_mutex_clear(&uses->mutex);
    g_free(uses);
}

void use_count_used(UseCount *uses, const EdgeCredential *credential)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&uses->mutex);
    Entry *entry = g_hash_table_lookup(uses->used, GUINT_TO_POINTER(credential->id));

    if (!entry && g_hash_table_size(uses->used) >= USE_COUNT_MAX)
        return;
    if (!entry) {
        entry = g_new0(Entry, 1);
        entry->credential = credential->id;
        entry->server = credential->server;
        g_hash_table_insert(uses->used, GUINT_TO_POINTER(credential->id), entry);
    }
    entry->count++;
}

/* Some clients send the key as user name as well. */
static char *safe_username(const char *username)
{
    gsize run = 0;

    if (!username)
        return NULL;
    for (const char *p = username; *p; p++) {
        run = g_ascii_isalnum(*p) ? run + 1 : 0;
        if (run >= 20)
            return NULL;
    }
    g_autofree char *cut = g_strndup(username, USERNAME_MAX);
    return g_utf8_make_valid(cut, -1);
}

void use_count_failed(UseCount *uses, const char *source, const char *mechanism,
                      const char *username, const char *reason)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&uses->mutex);
    Entry *entry = g_hash_table_lookup(uses->failed, source);

    if (!entry && g_hash_table_size(uses->failed) >= USE_COUNT_MAX)
        return;
    if (!entry) {
        entry = g_new0(Entry, 1);
        entry->source = g_strdup(source);
        entry->mechanism = mechanism;
        entry->username = safe_username(username);
        entry->reason = g_strdup(reason);
        g_hash_table_insert(uses->failed, entry->source, entry);
    }
    entry->count++;
}

gboolean use_count_is_empty(UseCount *uses)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&uses->mutex);

    return g_hash_table_size(uses->used) + g_hash_table_size(uses->failed) == 0;
}

static gboolean post(const UseCount *uses, Journal *journal, EventType type, const Entry *entry,
                     GError **error)
{
    gint64 now = g_get_real_time();
    json_object *object = event_json_begin(uses->node, now);

    if (type == EVENT_CREDENTIAL_USED) {
        event_json_number(object, "server", entry->server);
        event_json_number(object, "credential", entry->credential);
    } else {
        event_json_text(object, "ip", entry->source);
        event_json_text(object, "mechanism", entry->mechanism);
        event_json_text(object, "username", entry->username);
        event_json_text(object, "reason", entry->reason);
    }
    event_json_number(object, "count", entry->count);
    g_autofree char *json = event_json_finish(object);
    const JournalEntry line = {.type = type, .at_us = now, .json = json, .length = -1};
    return journal_post(journal, &line, 1, error);
}

static gboolean post_all(const UseCount *uses, Journal *journal, EventType type,
                         GHashTable *entries, GError **error)
{
    GHashTableIter iter;
    gpointer entry;

    g_hash_table_iter_init(&iter, entries);
    while (g_hash_table_iter_next(&iter, NULL, &entry))
        if (!post(uses, journal, type, entry, error))
            return FALSE;
    return TRUE;
}

gboolean use_count_write(UseCount *uses, Journal *journal, GError **error)
{
    g_mutex_lock(&uses->mutex);
    g_autoptr(GHashTable) used = uses->used;
    g_autoptr(GHashTable) failed = uses->failed;
    uses->used = used_new();
    uses->failed = failed_new();
    g_mutex_unlock(&uses->mutex);
    return post_all(uses, journal, EVENT_CREDENTIAL_USED, used, error) &&
           post_all(uses, journal, EVENT_AUTH_FAILED, failed, error);
}
