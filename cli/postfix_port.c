/* SPDX-License-Identifier: MIT */
/* Addresses and ports of master.cf's services: master(8) does not start when two want the same. */
#include <string.h>

#include "cli/postfix_check.h"

typedef struct {
    char *host; /* "": every address */
    char *port; /* a number where we know its name */
} Endpoint;

static void endpoint_clear(Endpoint *endpoint)
{
    g_free(endpoint->host);
    g_free(endpoint->port);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Endpoint, endpoint_clear)

static const char *port_number(const char *port)
{
    static const struct {
        const char *name, *number;
    } names[] = {{"submission", "587"}, {"submissions", "465"}, {"smtps", "465"}, {"smtp", "25"}};

    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        if (g_str_equal(port, names[i].name))
            return names[i].number;
    return port;
}

/* "587", "host:587", "[2001:db8::1]:587", each with "/inet" behind it. */
static gboolean parse_endpoint(const char *key, Endpoint *endpoint)
{
    const char *type = g_strrstr(key, "/");

    if (!type || !g_str_equal(type, "/inet"))
        return FALSE;
    g_autofree char *name = g_strndup(key, (gsize)(type - key));
    char *colon = strrchr(name, ':');
    gboolean has_host = colon != NULL;
    endpoint->port = g_strdup(port_number(has_host ? colon + 1 : name));
    if (has_host)
        *colon = '\0';
    const char *host = !has_host ? "" : g_str_equal(name, "localhost") ? "127.0.0.1" : name;
    gsize length = strlen(host);
    endpoint->host =
        *host == '[' && host[length - 1] == ']' ? g_strndup(host + 1, length - 2) : g_strdup(host);
    return TRUE;
}

static gboolean clash(const Endpoint *a, const Endpoint *b)
{
    return g_str_equal(a->port, b->port) &&
           (!*a->host || !*b->host || g_str_equal(a->host, b->host));
}

static gboolean is_ours(const PostfixRunning *running, const PostfixLines *lines, const char *key)
{
    g_autofree char *option = g_strjoin("/", key, "milter_macro_daemon_name", NULL);
    const char *name = g_hash_table_lookup(running->options, option);

    for (guint i = 0; i < lines->services->len; i++) {
        g_autofree char *own = postfix_service_key(lines->services->pdata[i]);
        if (g_str_equal(own, key))
            return TRUE;
    }
    return g_strcmp0(name, POSTFIX_DAEMON_NAME) == 0;
}

static void check_against(const char *key, GList *others, const PostfixLines *lines,
                          const PostfixRunning *running, GPtrArray *findings)
{
    g_auto(Endpoint) ours = {0};

    if (!is_ours(running, lines, key) || !parse_endpoint(key, &ours))
        return;
    for (GList *other = others; other; other = other->next) {
        g_auto(Endpoint) theirs = {0};
        if (!is_ours(running, lines, other->data) && parse_endpoint(other->data, &theirs) &&
            clash(&ours, &theirs))
            postfix_findings_add(findings, TRUE, other->data,
                                 "wants the port of %s, so that Postfix does not start; take one "
                                 "out of master.cf",
                                 key);
    }
    if (strchr(ours.host, ':') &&
        !postfix_has_word(postfix_running_value(running, NULL, "inet_protocols"), "all ipv6"))
        postfix_findings_add(findings, TRUE, key,
                             "inet_protocols has no ipv6, so that Postfix does not start; take "
                             "this service out of master.cf");
}

void postfix_check_ports(const PostfixLines *lines, const PostfixRunning *running,
                         GPtrArray *findings)
{
    GList *keys = g_list_sort(g_hash_table_get_keys(running->services), (GCompareFunc)strcmp);

    for (GList *key = keys; key; key = key->next)
        check_against(key->data, keys, lines, running, findings);
    g_list_free(keys);
}
