/* SPDX-License-Identifier: MIT */
#include "cli/address_ask.h"

#include <stdio.h>
#include <unistd.h>

#include "lib/base/error.h"

static char *key_of(const char *name, DnsType type)
{
    g_autofree char *lower = g_ascii_strdown(name, -1);

    return g_strdup_printf("%s %s", dns_type_word(type), lower);
}

static void add_question(const char *name, DnsType type, gpointer data)
{
    char *key = key_of(name, type);

    if (g_hash_table_contains(data, key))
        g_free(key);
    else
        g_hash_table_insert(data, key, dns_question_new(name, type));
}

static void collect(gpointer key, gpointer question, gpointer questions)
{
    (void)key;
    g_ptr_array_add(questions, question);
}

static void show_progress(guint ended, guint n, gpointer data)
{
    (void)data;
    fprintf(stderr, "\r\033[K%u of %u answers", ended, n);
    if (ended == n)
        fputs("\r\033[K", stderr);
    fflush(stderr);
}

AddressAnswers *address_ask(Record *addresses, gboolean progress, GError **error)
{
    g_autoptr(GHashTable) answers =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)dns_question_free);
    g_autoptr(Dns) dns = dns_open(DNS_RESOLV_CONF, error);

    if (!dns)
        return NULL;
    for (gsize i = 0; i < json_object_array_length(addresses); i++)
        address_questions(json_object_array_get_idx(addresses, i), add_question, answers);
    g_autoptr(GPtrArray) questions = g_ptr_array_new();
    g_hash_table_foreach(answers, collect, questions);
    dns_ask_all(dns, (DnsQuestion *const *)questions->pdata, questions->len,
                progress && isatty(STDERR_FILENO) ? show_progress : NULL, NULL);
    return g_steal_pointer(&answers);
}

GPtrArray *address_answer(const char *name, DnsType type, gpointer data, GError **error)
{
    g_autofree char *key = key_of(name, type);
    const DnsQuestion *question = g_hash_table_lookup(data, key);

    if (question && question->records)
        return g_ptr_array_ref(question->records);
    if (question)
        g_propagate_error(error, g_error_copy(question->error));
    else
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INTERNAL, "DNS: %s was not asked", key);
    return NULL;
}
