/* SPDX-License-Identifier: MIT */
/*
 * Purpose: appends the events of many messages to a journal whose owner does not run:
 *     fill_journal SPOOL PROGRAM MESSAGES SERVER CREDENTIAL, five events a message, as long as
 *     those of real ones. Recipients are backlog-NUMBER@bulk.test.
 * Used by: tests/e2e/test_backlog.py.
 * May touch: SPOOL/journal/PROGRAM.
 * Limits: MESSAGES_MAX messages; their ids are those of node NODE in the last half hour.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/id.h"
#include "lib/journal/journal.h"

#define NODE         200 /* no node of the tests: its ids collide with nobody's */
#define MESSAGES_MAX 1000000
#define TOGETHER     100 /* messages that share one append */
#define HALF_HOUR    1800

typedef struct {
    GArray *entries; /* of JournalEntry */
    GPtrArray *texts;
    guint server, credential;
    gint64 at_us;
} Filler;

static void add(Filler *filler, EventType type, char *json)
{
    JournalEntry entry = {.type = type, .at_us = filler->at_us, .json = json, .length = -1};

    g_ptr_array_add(filler->texts, json);
    g_array_append_val(filler->entries, entry);
}

/* What events of a message have in common. */
static char *head_of(const Filler *filler, guint64 id, const char *name)
{
    return g_strdup_printf("{\"v\":1,\"node\":%d,\"at\":%" G_GINT64_FORMAT
                           ",\"server\":%u,\"%s\":%" G_GUINT64_FORMAT
                           ",\"queue_id\":\"4B%" G_GINT64_MODIFIER "xz\"",
                           NODE, filler->at_us, filler->server, name, id, id);
}

static void add_milter_events(Filler *filler, guint64 id, guint number)
{
    g_autofree char *admitted = head_of(filler, id, "base");
    g_autofree char *accepted = head_of(filler, id, "id");

    add(filler, EVENT_SUBMISSION_ADMITTED,
        g_strdup_printf("%s,\"n\":1,\"credential\":%u,\"mail_from\":\"app@acme.test\",\"rcpts\":["
                        "\"backlog-%u@bulk.test\"],\"client\":{\"ip\":\"192.0.2.1\",\"port\":"
                        "\"44802\",\"helo\":\"client.acme.test\",\"ptr\":\"mail.outrider.test\","
                        "\"tls\":\"TLSv1.3 TLS_AES_256_GCM_SHA384\",\"auth\":\"PLAIN\"}}",
                        admitted, filler->credential, number));
    add(filler, EVENT_MESSAGE_ACCEPTED,
        g_strdup_printf(
            "%s,\"base\":%" G_GUINT64_FORMAT
            ",\"token\":\"Uyo8SRPg%08x\",\"credential\":%u,\"mail_from\":"
            "\"app@acme.test\",\"return_path\":\"caqogpwwaaaacaaaaggidxk2aq42qxy-2@rp.outrider."
            "test\","
            "\"rcpt\":\"backlog-%u@bulk.test\",\"from\":\"app@acme.test\",\"subject\":\"backlog "
            "%u\","
            "\"message_id\":\"<0af7b83276bc4ebfaed67eca%08x@acme.test>\",\"size\":1348,\"domain\":"
            "1,"
            "\"lane\":2,\"store\":\"20261121/11/%" G_GUINT64_FORMAT
            ".zst\",\"skipped\":[],\"signed\":"
            "[\"acme.test:or-nmsalw:rsa-sha256\",\"acme.test:or-catpdc:ed25519-sha256\"]}",
            accepted, id, number, filler->credential, number, number, number, id));
}

static void add_worker_events(Filler *filler, guint64 id, guint number)
{
    g_autofree char *head = head_of(filler, id, "id");

    add(filler, EVENT_MESSAGE_QUEUED, g_strconcat(head, "}", NULL));
    add(filler, EVENT_DELIVERY_ATTEMPT,
        g_strdup_printf(
            "%s,\"attempt\":%u,\"status\":\"Sent\",\"rcpt\":\"backlog-%u@bulk.test\","
            "\"relay\":\"mx.bulk.test[198.51.100.10]:25\",\"dsn\":\"2.0.0\",\"code\":250,"
            "\"text\":\"250 2.0.0 Ok: kept as bulk.test/%06u.eml\",\"source\":"
            "\"192.0.2.12\",\"helo\":\"out12.outrider.test\",\"delay_ms\":30}",
            head, number + 1, number, number));
    add(filler, EVENT_MESSAGE_REMOVED, g_strconcat(head, "}", NULL));
}

static gboolean append(Journal *journal, Filler *filler, GError **error)
{
    const JournalEntry *entries = (const JournalEntry *)(gconstpointer)filler->entries->data;
    gboolean done = journal_append(journal, entries, filler->entries->len, error);

    g_array_set_size(filler->entries, 0);
    g_ptr_array_set_size(filler->texts, 0);
    return done;
}

static gboolean fill(Journal *journal, Filler *filler, guint messages, GError **error)
{
    guint64 base = id_floor(filler->at_us / G_USEC_PER_SEC - HALF_HOUR) | NODE;

    for (guint number = 0; number < messages; number++) {
        guint64 id = id_at(base, number);
        add_milter_events(filler, id, number);
        add_worker_events(filler, id, number);
        if ((number + 1) % TOGETHER == 0 && !append(journal, filler, error))
            return FALSE;
    }
    return append(journal, filler, error);
}

int main(int argc, char **argv)
{
    guint messages = argc == 6 ? (guint)g_ascii_strtoull(argv[3], NULL, 10) : 0;
    g_autoptr(GError) error = NULL;

    if (messages == 0 || messages > MESSAGES_MAX) {
        fprintf(stderr, "usage: fill_journal SPOOL PROGRAM MESSAGES SERVER CREDENTIAL\n");
        return 64;
    }
    g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(JournalEntry));
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    Filler filler = {.entries = entries,
                     .texts = texts,
                     .server = (guint)g_ascii_strtoull(argv[4], NULL, 10),
                     .credential = (guint)g_ascii_strtoull(argv[5], NULL, 10),
                     .at_us = g_get_real_time()};
    g_autoptr(Journal) journal = journal_open(argv[1], argv[2], NULL, &error);
    if (journal && fill(journal, &filler, messages, &error))
        return 0;
    fprintf(stderr, "fill_journal: %s\n", error->message);
    return 1;
}
