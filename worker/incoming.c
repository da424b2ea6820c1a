/* SPDX-License-Identifier: MIT */
#include "worker/incoming.h"

#include <string.h>
#include <sys/stat.h>

#include "lib/edge/edge_route.h"
#include "lib/seal/return_path.h"
#include "worker/lanes.h"

#define HEAD                                                                                       \
    "# Written by outrider-worker: %s. Do not edit; change the routes with outrider(1)\n"          \
    "# instead.\n"
#define GROUP_MAX  16 /* lines that are looked at one after the other */
#define CHUNK      32 /* domains in one expression */
#define DOMAIN_ANY "[a-z0-9.-]+"

/* How names become lines: what stands before a name, and behind it. */
typedef struct {
    GString *text;
    const GPtrArray *names;
    const char *gate;   /* before a prefix, to skip a group */
    const char *before; /* of an expression */
    const char *after;
} Tree;

static const char *name_at(const Tree *tree, guint i)
{
    return tree->names->pdata[i];
}

static void append_line(const Tree *tree, const char *name)
{
    g_autofree char *escaped = g_regex_escape_string(name, -1);

    g_string_append_printf(tree->text, "%s%s%s\n", tree->before, escaped, tree->after);
}

/* Lines for names from to end, which agree in their first same octets. Postfix tries one line after the other, so
 * a group is skipped as a whole by what its names begin with. */
static void append_group(const Tree *tree, guint from, guint end, gsize same)
{
    if (end - from <= GROUP_MAX) {
        for (guint i = from; i < end; i++)
            append_line(tree, name_at(tree, i));
        return;
    }
    while (name_at(tree, from)[same] == name_at(tree, end - 1)[same])
        same++;
    for (guint first = from, i; first < end; first = i) {
        char letter = name_at(tree, first)[same];
        for (i = first + 1; i < end && name_at(tree, i)[same] == letter;)
            i++;
        g_autofree char *prefix = g_regex_escape_string(name_at(tree, first), (gint)same + 1);
        if (i - first > 1)
            g_string_append_printf(tree->text, "if /%s%s/\n", tree->gate, prefix);
        append_group(tree, first, i, same + 1);
        if (i - first > 1)
            g_string_append(tree->text, "endif\n");
    }
}

static void append_tree(const Tree *tree)
{
    append_group(tree, 0, tree->names->len, 0);
}

/* Domains with routes, and that of forward addresses; borrowed. */
static GPtrArray *all_domains(const IncomingNames *names)
{
    GPtrArray *all = g_ptr_array_new();
    gboolean forward = *names->route_domain != '\0';

    for (guint i = 0; i < names->domains->len; i++) {
        int order = forward ? strcmp(names->route_domain, names->domains->pdata[i]) : 1;
        if (order < 0)
            g_ptr_array_add(all, (gpointer)(guintptr)names->route_domain);
        forward = forward && order > 0;
        g_ptr_array_add(all, names->domains->pdata[i]);
    }
    if (forward)
        g_ptr_array_add(all, (gpointer)(guintptr)names->route_domain);
    return all;
}

/* An expression for hosts of return paths, by shape; g_free. */
static char *return_hosts(const IncomingNames *names)
{
    g_autofree char *domain = g_regex_escape_string(names->return_path_domain, -1);
    g_autofree char *label = g_regex_escape_string(names->return_path_label, -1);

    return g_strdup_printf("(%s|%s\\." DOMAIN_ANY ")", domain, label);
}

static char *return_locals(void)
{
    return g_strdup_printf("[a-z2-7]{%d}-[0-9]{1,5}", RETURN_PATH_TOKEN_LENGTH);
}

static GString *begin(const char *what)
{
    GString *text = g_string_new(NULL);

    g_string_append_printf(text, HEAD, what);
    return text;
}

char *incoming_domains(const IncomingNames *names)
{
    g_autoptr(GPtrArray) all = all_domains(names);
    g_autofree char *hosts = return_hosts(names);
    GString *text = begin("domains that policyd is asked about");
    const Tree tree = {text, all, "^", "/^(", ")$/ $1"};

    g_string_append_printf(text, "/^(%s)$/ $1\n", hosts);
    append_tree(&tree);
    return g_string_free(text, FALSE);
}

char *incoming_recipients(const IncomingNames *names)
{
    g_autoptr(GPtrArray) all = all_domains(names);
    g_autofree char *hosts = return_hosts(names);
    g_autofree char *locals = return_locals();
    GString *text = begin("recipients that policyd is asked about");
    const Tree tree = {text, all, "@", "/^(.+@", ")$/ $1"};

    g_string_append_printf(text, "/^(%s@%s)$/ $1\n", locals, hosts);
    append_tree(&tree);
    return g_string_free(text, FALSE);
}

/* What is below a domain of ours is nobody's to pass: relay_domains may be read as one with its sub-domains. */
char *incoming_others(const IncomingNames *names)
{
    g_autoptr(GPtrArray) all = all_domains(names);
    g_autofree char *hosts = return_hosts(names);
    GString *text = begin("recipients that are not ours, which pass");
    guint open = 1;

    g_string_append_printf(text, "if !/@%s$/\n", hosts);
    for (guint i = 0; i < all->len; i++) {
        g_autofree char *escaped = g_regex_escape_string(all->pdata[i], -1);
        gboolean first = i % CHUNK == 0;
        gboolean last = i % CHUNK == CHUNK - 1 || i + 1 == all->len;
        g_string_append_printf(text, "%s%s%s", first ? "if !/[@.](" : "|", escaped,
                               last ? ")$/\n" : "");
        open += first ? 1 : 0;
    }
    g_string_append(text, "/./ OK\n");
    for (guint i = 0; i < open; i++)
        g_string_append(text, "endif\n");
    return g_string_free(text, FALSE);
}

char *incoming_transports(const IncomingNames *names)
{
    g_autoptr(GPtrArray) all = all_domains(names);
    g_autofree char *locals = return_locals();
    g_autofree char *label = g_regex_escape_string(names->return_path_label, -1);
    g_autofree char *domain = g_regex_escape_string(names->return_path_domain, -1);
    g_autofree char *endpoints = g_regex_escape_string(EDGE_ENDPOINT_DOMAIN, -1);
    g_autofree char *way = g_strdup_printf("$/ outrider-split:[127.0.0.1]:%u", names->hop_port);
    g_autofree char *gate = g_strdup_printf("@%s\\.", label);
    g_autofree char *before = g_strdup_printf("/^%s@%s\\.", locals, label);
    GString *text = begin("the way of what comes in, to the hop");
    const Tree routes = {text, all, "@", "/@", way};
    const Tree returns = {text, names->return_domains, gate, before, way};

    g_string_append_printf(text, "/^%s@%s%s\n", locals, domain, way);
    g_string_append_printf(text, "/^[0-9]+\\.[0-9]+@%s%s\n", endpoints, way);
    append_tree(&routes);
    append_tree(&returns);
    return g_string_free(text, FALSE);
}

static gint64 written_at(const char *path)
{
    struct stat now;

    return stat(path, &now) == 0 ? (gint64)now.st_mtim.tv_sec : 0;
}

/* A time in the future is that of a clock that was set. */
static gboolean is_younger(gint64 then, gint64 now, gint64 seconds)
{
    return then <= now && now - then < seconds;
}

static gboolean has_text(const char *path, const char *text)
{
    g_autofree char *current = NULL;

    return g_file_get_contents(path, &current, NULL, NULL) && g_str_equal(current, text);
}

static gboolean write_gates(const char *directory, const IncomingNames *names,
                            IncomingWritten *written, GError **error)
{
    /* What a domain's recipients are is known before the domain is taken in. */
    static const struct {
        const char *name;
        char *(*render)(const IncomingNames *names);
    } gates[] = {{"our-recipients.regexp", incoming_recipients},
                 {"other-recipients.regexp", incoming_others},
                 {"our-domains.regexp", incoming_domains}};

    for (guint i = 0; i < G_N_ELEMENTS(gates); i++) {
        g_autofree char *path = g_build_filename(directory, gates[i].name, NULL);
        g_autofree char *text = gates[i].render(names);
        gboolean changed = FALSE;
        if (!lanes_write(path, text, &changed, error))
            return FALSE;
        written->changed |= changed;
    }
    return TRUE;
}

gboolean incoming_write(const char *directory, const IncomingNames *names, gint64 now,
                        IncomingWritten *written, GError **error)
{
    g_autofree char *path = g_build_filename(directory, "transports.regexp", NULL);
    g_autofree char *text = incoming_transports(names);
    gint64 then = written_at(path);

    *written = (IncomingWritten){FALSE, TRUE};
    if (!has_text(path, text))
        return is_younger(then, now, INCOMING_PAUSE_SECONDS) ||
               lanes_write(path, text, &written->changed, error);
    if (is_younger(then, now, INCOMING_SETTLE_SECONDS))
        return TRUE;
    written->pending = FALSE;
    return write_gates(directory, names, written, error);
}
