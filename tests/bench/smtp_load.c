/* SPDX-License-Identifier: MIT */
/*
 * smtp_load: hands messages to an SMTP server over many connections and prints how fast that went;
 * see --help. It waits for each answer, as most clients do, and speaks no TLS.
 *
 *   220 -> EHLO -> [AUTH PLAIN] -> MAIL -> RCPT -> DATA -> message -> 250 -> MAIL ... or QUIT
 */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/load.h"

#define SIZE_MAX_OCTETS (50 * 1024 * 1024)
#define KEY_VARIABLE    "SMTP_KEY"

/* What the next answer belongs to. */
enum { GREETING, EHLO, AUTH, MAIL, RCPT, DATA, MESSAGE, QUIT };

typedef struct {
    struct sockaddr_in address;
    char *user; /* NULL: no AUTH */
    char *sender;
    char *domain; /* of the recipients */
    char *body;
    int size;
    gboolean html;
    char date[64];
} Smtp;

static int dial(gpointer context)
{
    const Smtp *smtp = context;

    return load_dial(&smtp->address);
}

static gboolean greet(LoadLink *link, gpointer context)
{
    (void)context;
    link->state = GREETING;
    return FALSE;
}

/* A reply ends with the line whose code is followed by a blank. */
static gsize whole(const char *data, gsize length)
{
    gsize at = 0;

    while (at < length) {
        const char *end = memchr(data + at, '\n', length - at);
        if (!end)
            return 0;
        gsize next = (gsize)(end - data) + 1;
        if (next - at > 3 && data[at + 3] != '-')
            return next;
        at = next;
    }
    return 0;
}

static void ask(LoadLink *link, gpointer context)
{
    const Smtp *smtp = context;

    g_string_append_printf(link->out, "MAIL FROM:<%s>\r\n", smtp->sender);
    link->state = MAIL;
}

static void leave(LoadLink *link, gpointer context)
{
    (void)context;
    g_string_append(link->out, "QUIT\r\n");
    link->state = QUIT;
}

static void send_auth(LoadLink *link, const Smtp *smtp)
{
    const char *key = g_getenv(KEY_VARIABLE);
    g_autoptr(GString) text = g_string_new(NULL);

    g_string_append_c(text, '\0');
    g_string_append(text, smtp->user);
    g_string_append_c(text, '\0');
    g_string_append(text, key ? key : "");
    g_autofree char *encoded = g_base64_encode((const guchar *)text->str, text->len);
    g_string_append_printf(link->out, "AUTH PLAIN %s\r\n", encoded);
    link->state = AUTH;
}

static void send_message(LoadLink *link, const Smtp *smtp)
{
    gsize before = link->out->len;

    g_string_append_printf(
        link->out,
        "From: Benchmark <%s>\r\nTo: <r%u@%s>\r\nSubject: Message %u of a run\r\n"
        "Date: %s\r\nMessage-ID: <%u.%d@%s>\r\nMIME-Version: 1.0\r\n"
        "Content-Type: text/%s; charset=utf-8\r\n\r\n",
        smtp->sender, link->number, smtp->domain, link->number, smtp->date, link->number,
        (int)getpid(), smtp->domain, smtp->html ? "html" : "plain");
    gsize head = link->out->len - before;
    g_string_append_len(link->out, smtp->body, smtp->size - (gssize)MIN(head, (gsize)smtp->size));
    g_string_append(link->out, "\r\n.\r\n");
    link->state = MESSAGE;
}

/* The connection is ready for a message: the one that it was opened for, or the next. */
static LoadStep ready(LoadLink *link, const Smtp *smtp)
{
    if (!link->asking)
        return LOAD_ANSWERED;
    ask(link, (gpointer)(guintptr)smtp);
    return LOAD_MORE;
}

static LoadStep take(LoadLink *link, const char *answer, gsize length, gpointer context)
{
    const Smtp *smtp = context;

    if (link->state == QUIT)
        return LOAD_CLOSE;
    if (*answer != '2' && *answer != '3') {
        fprintf(stderr, "refused: %.*s", (int)MIN(length, 200), answer);
        /* MAIL would follow on a connection in an unknown state. */
        return LOAD_CLOSE;
    }
    switch (link->state) {
    case GREETING:
        g_string_append(link->out, "EHLO client.bench.test\r\n");
        link->state = EHLO;
        return LOAD_MORE;
    case EHLO:
        if (!smtp->user)
            return ready(link, smtp);
        send_auth(link, smtp);
        return LOAD_MORE;
    case AUTH:
        return ready(link, smtp);
    case MAIL:
        g_string_append_printf(link->out, "RCPT TO:<r%u@%s>\r\n", link->number, smtp->domain);
        link->state = RCPT;
        return LOAD_MORE;
    case RCPT:
        g_string_append(link->out, "DATA\r\n");
        link->state = DATA;
        return LOAD_MORE;
    case DATA:
        send_message(link, smtp);
        return LOAD_MORE;
    default:
        return LOAD_ANSWERED;
    }
}

int main(int argc, char **argv)
{
    Smtp smtp = {.size = 4096};
    LoadPlan plan = {.links = 1, .requests = 100, .seconds = 60};
    const GOptionEntry options[] = {
        {"sessions", 0, 0, G_OPTION_ARG_INT, &plan.links, "Connections at a time (1)", "N"},
        {"messages", 0, 0, G_OPTION_ARG_INT, &plan.requests, "Messages in all (100)", "N"},
        {"seconds", 0, 0, G_OPTION_ARG_INT, &plan.seconds, "Begin none later than that (60)", "N"},
        {"size", 0, 0, G_OPTION_ARG_INT, &smtp.size, "Octets of a message (4096)", "N"},
        {"html", 0, 0, G_OPTION_ARG_NONE, &smtp.html, "Pages with links (plain text)", NULL},
        {"rate", 0, 0, G_OPTION_ARG_INT, &plan.rate,
         "Messages begun a second, over one connection (as fast as they are taken)", "N"},
        {"reuse", 0, 0, G_OPTION_ARG_NONE, &plan.reuse, "Many messages over each connection", NULL},
        {"user", 0, 0, G_OPTION_ARG_STRING, &smtp.user,
         "AUTH PLAIN as this user; the password is in $" KEY_VARIABLE, "NAME"},
        {"sender", 0, 0, G_OPTION_ARG_STRING, &smtp.sender, "Envelope sender and From", "ADDRESS"},
        {"domain", 0, 0, G_OPTION_ARG_STRING, &smtp.domain, "Domain of the recipients", "NAME"},
        {NULL},
    };
    static const LoadProtocol protocol = {dial, greet, ask, whole, take, leave};
    g_autoptr(GOptionContext) context = g_option_context_new("IPV4:PORT");
    g_autoptr(GError) error = NULL;

    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || argc != 2 ||
        !load_server(argv[1], &smtp.address) || !smtp.sender || !smtp.domain || smtp.size < 1 ||
        smtp.size > SIZE_MAX_OCTETS) {
        fprintf(stderr, "smtp_load: %s\n", error ? error->message : "see --help");
        return 64;
    }
    if (!load_plan_check(&plan))
        return 64;
    time_t now = time(NULL);
    struct tm parts;
    strftime(smtp.date, sizeof smtp.date, "%a, %d %b %Y %H:%M:%S +0000", gmtime_r(&now, &parts));
    smtp.body = load_text(smtp.size, smtp.html);
    int status = load_run(&plan, &protocol, &smtp);
    g_free(smtp.body);
    g_free(smtp.user);
    g_free(smtp.sender);
    g_free(smtp.domain);
    return status;
}
