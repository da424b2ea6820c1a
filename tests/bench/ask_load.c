/* SPDX-License-Identifier: MIT */
/*
 * ask_load: asks a server on a UNIX socket what Postfix asks, over many connections, and prints how
 * fast that went; see --help. Each line of --identities is "user key"; they take turns.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/bench/load.h"

typedef struct {
    struct sockaddr_un address;
    GPtrArray *users;
    GPtrArray *responses; /* of AUTH PLAIN, base64 */
} Ask;

static int dial(gpointer context)
{
    const Ask *ask = context;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && connect(fd, (const struct sockaddr *)&ask->address, sizeof ask->address) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static gboolean greet_at_once(LoadLink *link, gpointer context)
{
    (void)link;
    (void)context;
    return TRUE;
}

static const char *turn(const GPtrArray *list, guint number)
{
    return list->pdata[number % list->len];
}

/* As Postfix 3.7 asks at RCPT. */
static void ask_policy(LoadLink *link, gpointer context)
{
    const Ask *ask = context;

    g_string_append_printf(
        link->out,
        "request=smtpd_access_policy\nprotocol_state=RCPT\nprotocol_name=ESMTP\n"
        "client_address=127.0.0.1\nclient_name=localhost\nclient_port=%u\n"
        "reverse_client_name=localhost\nserver_address=127.0.0.1\nserver_port=2525\n"
        "helo_name=client.bench.test\nsender=bench@acme.test\nrecipient=r%u@bench.test\n"
        "recipient_count=0\nqueue_id=\ninstance=1234.5678abcd.%u.0\nsize=4096\netrn_domain=\n"
        "stress=\nsasl_method=plain\nsasl_username=%s\nsasl_sender=\nccert_subject=\n"
        "ccert_issuer=\nccert_fingerprint=\nccert_pubkey_fingerprint=\nencryption_protocol=\n"
        "encryption_cipher=\nencryption_keysize=0\npolicy_context=\n\n",
        10000 + link->number % 50000, link->number, link->number, turn(ask->users, link->number));
}

static gsize whole_policy(const char *data, gsize length)
{
    const char *end = memmem(data, length, "\n\n", 2);

    return end ? (gsize)(end - data) + 2 : 0;
}

static LoadStep take_policy(LoadLink *link, const char *answer, gsize length, gpointer context)
{
    static const char wanted[] = "action=DUNNO\n\n";

    (void)link;
    (void)context;
    return length == strlen(wanted) && memcmp(answer, wanted, length) == 0 ? LOAD_ANSWERED
                                                                           : LOAD_REFUSED;
}

static void ask_map(LoadLink *link, gpointer context)
{
    char text[64];

    (void)context;
    int length = snprintf(text, sizeof text, "transport r%u@bench.test", link->number);
    g_string_append_printf(link->out, "%d:%s,", length, text);
}

static gsize whole_map(const char *data, gsize length)
{
    const char *comma = memchr(data, ',', length);

    return comma ? (gsize)(comma - data) + 1 : 0;
}

static LoadStep take_map(LoadLink *link, const char *answer, gsize length, gpointer context)
{
    (void)link;
    (void)context;
    return memmem(answer, length, ":NOTFOUND ", 10) ? LOAD_ANSWERED : LOAD_REFUSED;
}

/* The server greets; a client's own greeting goes with its first request. */
enum { GREETING, ASKING };

static gboolean greet_auth(LoadLink *link, gpointer context)
{
    (void)context;
    link->state = GREETING;
    g_string_append_printf(link->out, "VERSION\t1\t1\nCPID\t%d\n", (int)getpid());
    return FALSE;
}

static void ask_auth(LoadLink *link, gpointer context)
{
    const Ask *ask = context;

    link->state = ASKING;
    g_string_append_printf(link->out,
                           "AUTH\t%u\tPLAIN\tservice=smtp\tnologin\tlip=127.0.0.1\trip=127.0.0.1\t"
                           "secured\tresp=%s\n",
                           link->number, turn(ask->responses, link->number));
}

static gsize whole_line(const char *data, gsize length)
{
    const char *end = memchr(data, '\n', length);

    return end ? (gsize)(end - data) + 1 : 0;
}

static LoadStep take_auth(LoadLink *link, const char *answer, gsize length, gpointer context)
{
    if (link->state == GREETING) {
        if (length != 5 || memcmp(answer, "DONE\n", 5) != 0)
            return LOAD_MORE;
        if (!link->asking)
            return LOAD_ANSWERED;
        ask_auth(link, context);
        return LOAD_MORE;
    }
    return length > 3 && memcmp(answer, "OK\t", 3) == 0 ? LOAD_ANSWERED : LOAD_REFUSED;
}

static const struct {
    const char *name;
    LoadProtocol protocol;
} protocols[] = {
    {"policy", {dial, greet_at_once, ask_policy, whole_policy, take_policy, NULL}},
    {"map", {dial, greet_at_once, ask_map, whole_map, take_map, NULL}},
    {"auth", {dial, greet_auth, ask_auth, whole_line, take_auth, NULL}},
};

static const LoadProtocol *find_protocol(const char *name)
{
    for (guint i = 0; name && i < G_N_ELEMENTS(protocols); i++)
        if (strcmp(protocols[i].name, name) == 0)
            return &protocols[i].protocol;
    return NULL;
}

static char *plain_response(const char *key)
{
    g_autoptr(GString) text = g_string_new(NULL);

    g_string_append_c(text, '\0');
    g_string_append(text, "bench");
    g_string_append_c(text, '\0');
    g_string_append(text, key);
    return g_base64_encode((const guchar *)text->str, text->len);
}

static gboolean read_identities(Ask *ask, const char *file, GError **error)
{
    g_autofree char *text = NULL;

    if (!g_file_get_contents(file, &text, NULL, error))
        return FALSE;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (guint i = 0; lines[i]; i++) {
        char *blank = strchr(lines[i], ' ');
        if (!blank)
            continue;
        *blank = '\0';
        g_ptr_array_add(ask->users, g_strdup(lines[i]));
        g_ptr_array_add(ask->responses, plain_response(blank + 1));
    }
    if (ask->users->len > 0)
        return TRUE;
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "%s: no line \"user key\"", file);
    return FALSE;
}

int main(int argc, char **argv)
{
    Ask ask = {.address.sun_family = AF_UNIX};
    LoadPlan plan = {.links = 20, .requests = 100000, .seconds = 60, .reuse = TRUE};
    g_autofree char *name = NULL, *identities = NULL;
    const GOptionEntry options[] = {
        {"protocol", 0, 0, G_OPTION_ARG_STRING, &name, "policy, map or auth", "NAME"},
        {"identities", 0, 0, G_OPTION_ARG_FILENAME, &identities, "Who asks", "FILE"},
        {"connections", 0, 0, G_OPTION_ARG_INT, &plan.links, "At a time (20)", "N"},
        {"requests", 0, 0, G_OPTION_ARG_INT, &plan.requests, "In all (100000)", "N"},
        {"seconds", 0, 0, G_OPTION_ARG_INT, &plan.seconds, "Begin none later than that (60)", "N"},
        {NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new("SOCKET");
    g_autoptr(GError) error = NULL;

    ask.users = g_ptr_array_new_with_free_func(g_free);
    ask.responses = g_ptr_array_new_with_free_func(g_free);
    g_option_context_add_main_entries(context, options, NULL);
    gboolean good = g_option_context_parse(context, &argc, &argv, &error);
    const LoadProtocol *protocol = find_protocol(name);
    if (!good || argc != 2 || !protocol || !identities ||
        g_strlcpy(ask.address.sun_path, argv[1], sizeof ask.address.sun_path) >=
            sizeof ask.address.sun_path ||
        !read_identities(&ask, identities, &error)) {
        fprintf(stderr, "ask_load: %s\n", error ? error->message : "see --help");
        return 64;
    }
    int status = load_plan_check(&plan) ? load_run(&plan, protocol, &ask) : 64;
    g_ptr_array_unref(ask.users);
    g_ptr_array_unref(ask.responses);
    return status;
}
