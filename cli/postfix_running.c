/* SPDX-License-Identifier: MIT */
#include "cli/postfix_running.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/error.h"

#define SERVICE_FIELDS 8 /* of master.cf, up to the command */

static GHashTable *new_table(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

/* "name = value" lines. */
static GHashTable *parse_values(const char *text)
{
    GHashTable *table = new_table();
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (guint i = 0; lines[i]; i++) {
        char *equals = strstr(lines[i], " =");
        if (equals)
            g_hash_table_insert(table, g_strndup(lines[i], (gsize)(equals - lines[i])),
                                g_strstrip(g_strdup(equals + 2)));
    }
    return table;
}

/* "name type private unpriv chroot wakeup maxproc command ..." lines. */
static void parse_services(const char *text, GHashTable *table, GHashTable *whole)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (guint i = 0; lines[i]; i++) {
        g_auto(GStrv) words = g_strsplit_set(lines[i], " \t", -1);
        const char *fields[SERVICE_FIELDS];
        guint n = 0;
        for (guint w = 0; words[w] && n < SERVICE_FIELDS; w++)
            if (*words[w])
                fields[n++] = words[w];
        if (n < SERVICE_FIELDS)
            continue;
        g_hash_table_insert(table, g_strjoin("/", fields[0], fields[1], NULL),
                            g_strdup(fields[SERVICE_FIELDS - 1]));
        g_hash_table_insert(whole, g_strjoin("/", fields[0], fields[1], NULL), g_strdup(lines[i]));
    }
}

PostfixRunning *postfix_running_parse(const char *written, const char *values, const char *services,
                                      const char *options)
{
    PostfixRunning *running = g_new0(PostfixRunning, 1);

    running->written = parse_values(written);
    running->values = parse_values(values);
    running->services = new_table();
    running->lines = new_table();
    parse_services(services, running->services, running->lines);
    running->options = parse_values(options);
    return running;
}

void postfix_running_free(PostfixRunning *running)
{
    if (!running)
        return;
    g_hash_table_unref(running->written);
    g_hash_table_unref(running->values);
    g_hash_table_unref(running->services);
    g_hash_table_unref(running->lines);
    g_hash_table_unref(running->options);
    g_free(running);
}

const char *postfix_running_value(const PostfixRunning *running, const char *service,
                                  const char *parameter)
{
    if (service) {
        g_autofree char *key = g_strjoin("/", service, parameter, NULL);
        const char *own = g_hash_table_lookup(running->options, key);
        if (own)
            return own;
    }
    return g_hash_table_lookup(running->values, parameter);
}

/* Reads to the end, no more than POSTFIX_OUTPUT_MAX octets and not for longer than POSTFIX_SECONDS;
 * FALSE with what went wrong. */
static gboolean read_all(int fd, GString *out, const char **why)
{
    gint64 end = g_get_monotonic_time() + POSTFIX_SECONDS * G_USEC_PER_SEC;
    char buffer[16384];

    for (;;) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        gint64 left = (end - g_get_monotonic_time()) / 1000;
        int ready = left > 0 ? poll(&wait, 1, (int)left) : 0;
        if (ready < 0 && errno == EINTR)
            continue;
        gssize n = ready > 0 ? read(fd, buffer, sizeof(buffer)) : -1;
        *why = ready == 0 ? "does not answer in time" : g_strerror(errno);
        if (n <= 0)
            return n == 0;
        g_string_append_len(out, buffer, n);
        *why = "says too much";
        if (out->len > POSTFIX_OUTPUT_MAX)
            return FALSE;
    }
}

/* It lives in sbin, where not every PATH looks. */
static char *find_program(const char *name)
{
    char *found = g_find_program_in_path(name);

    return found ? found : g_build_filename("/usr/sbin", name, NULL);
}

char *postfix_running_ask(const char *name, const char *directory, const char *const *rest,
                          GError **error)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GString) out = g_string_new(NULL);
    g_autoptr(GError) spawn = NULL;
    const char *why = NULL;
    GPid pid;
    int fd, status = -1;

    g_ptr_array_add(words, find_program(name));
    g_ptr_array_add(words, g_strdup("-c"));
    g_ptr_array_add(words, g_strdup(directory));
    for (; *rest; rest++)
        g_ptr_array_add(words, g_strdup(*rest));
    g_ptr_array_add(words, NULL);
    if (!g_spawn_async_with_pipes(NULL, (char **)words->pdata, NULL, G_SPAWN_DO_NOT_REAP_CHILD,
                                  NULL, NULL, &pid, NULL, &fd, NULL, &spawn)) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE, "%s", spawn->message);
        return NULL;
    }
    gboolean complete = read_all(fd, out, &why);
    close(fd);
    if (!complete)
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (complete && status == 0)
        return g_string_free(g_steal_pointer(&out), FALSE);
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE, "%s -c %s: %s", name, directory,
                complete ? "it failed" : why);
    return NULL;
}

PostfixRunning *postfix_running_read(const char *directory, GError **error)
{
    static const char *const options[] = {NULL, "-x", "-M", "-P"};
    g_auto(GStrv) texts = g_new0(char *, G_N_ELEMENTS(options) + 1);

    for (guint i = 0; i < G_N_ELEMENTS(options); i++) {
        const char *const rest[] = {options[i], NULL};
        if (!(texts[i] = postfix_running_ask("postconf", directory, rest, error)))
            return NULL;
    }
    return postfix_running_parse(texts[0], texts[1], texts[2], texts[3]);
}

char *postfix_running_lookup(const char *directory, const char *table, const char *key)
{
    const char *const rest[] = {"-q", key, table, NULL};
    char *found = postfix_running_ask("postmap", directory, rest, NULL);

    return found ? g_strchomp(found) : g_strdup("");
}
