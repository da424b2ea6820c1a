/* SPDX-License-Identifier: MIT */
/*
 * http_load: hands messages to API v1's send/message over many connections and prints how fast that went; see --help. It waits for
 * each answer, as most clients do, and speaks no TLS.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/load.h"

#define SIZE_MAX_OCTETS (50 * 1024 * 1024)
#define KEY_VARIABLE    "SMTP_KEY"
#define SUCCESS         "{\"status\":\"success\""

typedef struct {
    struct sockaddr_in address;
    char *sender;
    char *domain; /* of the recipients */
    char *body;   /* as a JSON string, with its quotes */
    int size;
    gboolean html, reuse, keyed;
} Http;

static int dial(gpointer context)
{
    const Http *http = context;

    return load_dial(&http->address);
}

/* The client begins. */
static gboolean greet(LoadLink *link, gpointer context)
{
    (void)link;
    (void)context;
    return TRUE;
}

static void ask(LoadLink *link, gpointer context)
{
    const Http *http = context;
    const char *key = g_getenv(KEY_VARIABLE);
    g_autofree char *parameters =
        g_strdup_printf("{\"from\":\"Benchmark <%s>\",\"to\":[\"r%u@%s\"],\"subject\":\"Message %u "
                        "of a run\",\"%s\":%s}",
                        http->sender, link->number, http->domain, link->number,
                        http->html ? "html_body" : "plain_body", http->body);

    g_autofree char *uuid = http->keyed ? g_uuid_string_random() : NULL;
    g_autofree char *repeat = uuid ? g_strdup_printf("Idempotency-Key: %s\r\n", uuid) : NULL;

    g_string_append_printf(link->out,
                           "POST /api/v1/send/message HTTP/1.1\r\nHost: api.bench.test\r\n"
                           "X-Server-API-Key: %s\r\nContent-Type: application/json\r\n"
                           "Content-Length: %zu\r\nConnection: %s\r\n%s\r\n%s",
                           key ? key : "", strlen(parameters), http->reuse ? "keep-alive" : "close",
                           repeat ? repeat : "", parameters);
}

/* Header and the octets of its Content-Length. */
static gsize whole(const char *data, gsize length)
{
    const char *end = g_strstr_len(data, (gssize)length, "\r\n\r\n");

    if (!end)
        return 0;
    g_autofree char *head = g_ascii_strdown(data, end - data);
    const char *field = strstr(head, "\r\ncontent-length:");
    gsize size = (gsize)(end - data) + strlen("\r\n\r\n") +
                 (field ? (gsize)g_ascii_strtoull(strchr(field, ':') + 1, NULL, 10) : 0);
    return size <= length ? size : 0;
}

static LoadStep take(LoadLink *link, const char *answer, gsize length, gpointer context)
{
    (void)link;
    (void)context;
    if (g_strstr_len(answer, (gssize)length, SUCCESS))
        return LOAD_ANSWERED;
    fprintf(stderr, "refused: %.*s\n", (int)MIN(length, 1000), answer);
    return LOAD_CLOSE;
}

static char *make_body(int size, gboolean html)
{
    g_autofree char *text = load_text(size, html);
    json_object *string = json_object_new_string_len(text, size);
    char *body = g_strdup(json_object_to_json_string_ext(string, JSON_C_TO_STRING_PLAIN));

    json_object_put(string);
    return body;
}

int main(int argc, char **argv)
{
    Http http = {.size = 4096};
    LoadPlan plan = {.links = 1, .requests = 100, .seconds = 60};
    const GOptionEntry options[] = {
        {"sessions", 0, 0, G_OPTION_ARG_INT, &plan.links, "Connections at a time (1)", "N"},
        {"messages", 0, 0, G_OPTION_ARG_INT, &plan.requests, "Messages in all (100)", "N"},
        {"seconds", 0, 0, G_OPTION_ARG_INT, &plan.seconds, "Begin none later than that (60)", "N"},
        {"size", 0, 0, G_OPTION_ARG_INT, &http.size, "Octets of a body (4096)", "N"},
        {"keyed", 0, 0, G_OPTION_ARG_NONE, &http.keyed, "An Idempotency-Key in each request", NULL},
        {"html", 0, 0, G_OPTION_ARG_NONE, &http.html, "Pages with links (plain text)", NULL},
        {"reuse", 0, 0, G_OPTION_ARG_NONE, &plan.reuse, "Many messages over each connection", NULL},
        {"sender", 0, 0, G_OPTION_ARG_STRING, &http.sender, "From; the key is in $" KEY_VARIABLE,
         "ADDRESS"},
        {"domain", 0, 0, G_OPTION_ARG_STRING, &http.domain, "Domain of the recipients", "NAME"},
        {NULL},
    };
    static const LoadProtocol protocol = {dial, greet, ask, whole, take, NULL};
    g_autoptr(GOptionContext) context = g_option_context_new("IPV4:PORT");
    g_autoptr(GError) error = NULL;

    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || argc != 2 ||
        !load_server(argv[1], &http.address) || !http.sender || !http.domain || http.size < 1 ||
        http.size > SIZE_MAX_OCTETS) {
        fprintf(stderr, "http_load: %s\n", error ? error->message : "see --help");
        return 64;
    }
    if (!load_plan_check(&plan))
        return 64;
    http.reuse = plan.reuse;
    http.body = make_body(http.size, http.html);
    int status = load_run(&plan, &protocol, &http);
    g_free(http.body);
    g_free(http.sender);
    g_free(http.domain);
    return status;
}
