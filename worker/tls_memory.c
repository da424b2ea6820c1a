/* SPDX-License-Identifier: MIT */
#include "worker/tls_memory.h"

#include <string.h>

typedef struct {
    char *relay;
    char *text;
    gboolean used; /* by a delivery already */
} Connection;

struct TlsMemory {
    GHashTable *connections; /* pid to Connection */
};

static void free_connection(gpointer data)
{
    Connection *connection = data;

    g_free(connection->relay);
    g_free(connection->text);
    g_free(connection);
}

TlsMemory *tls_memory_new(void)
{
    TlsMemory *memory = g_new0(TlsMemory, 1);

    memory->connections = g_hash_table_new_full(NULL, NULL, NULL, free_connection);
    return memory;
}

void tls_memory_free(TlsMemory *memory)
{
    if (!memory)
        return;
    g_hash_table_unref(memory->connections);
    g_free(memory);
}

void tls_memory_note(TlsMemory *memory, const MailLine *line)
{
    Connection *connection = g_new0(Connection, 1);

    if (g_hash_table_size(memory->connections) >= TLS_MEMORY_MAX)
        g_hash_table_remove_all(memory->connections);
    connection->relay = g_strndup(line->relay.data, line->relay.length);
    connection->text = g_strndup(line->text.data, line->text.length);
    g_hash_table_replace(memory->connections, GUINT_TO_POINTER(line->pid), connection);
}

const char *tls_memory_of(TlsMemory *memory, const MailLine *line)
{
    Connection *connection = g_hash_table_lookup(memory->connections, GUINT_TO_POINTER(line->pid));

    if (!connection)
        return NULL;
    gboolean known = strlen(connection->relay) == line->relay.length &&
                     memcmp(connection->relay, line->relay.data, line->relay.length) == 0 &&
                     (line->connections > 1 || !connection->used);
    connection->used = TRUE;
    return known ? connection->text : NULL;
}
