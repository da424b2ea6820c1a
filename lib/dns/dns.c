/* SPDX-License-Identifier: MIT */
#include "lib/dns/dns.h"

#include <poll.h>
#include <string.h>
#include <unbound.h>

#include "lib/base/error.h"

#define CLASS_IN       1
#define NAME_TEXT_MAX  253
#define RCODE_NOERROR  0
#define RCODE_NXDOMAIN 3

struct Dns {
    struct ub_ctx *context;
    char *server; /* NULL: those of resolv.conf */
};

/* Names that libunbound would answer itself: here they are somebody's like any other. */
static const char *const own_zones[] = {"localhost.", "test.", "invalid.", "onion.",
                                        "127.in-addr.arpa."};

static gboolean fail(GError **error, const char *what, int code)
{
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE, "DNS: %s: %s", what,
                ub_strerror(code));
    return FALSE;
}

static gboolean set_options(struct ub_ctx *context, GError **error)
{
    static const char *const options[][2] = {
        {"unblock-lan-zones:", "yes"},      {"do-not-query-localhost:", "no"},
        {"qname-minimisation:", "no"},      {"outgoing-range:", "256"},
        {"num-queries-per-thread:", "256"}, {"module-config:", "iterator"}};
    int code = ub_ctx_async(context, 1);

    for (guint i = 0; code == 0 && i < G_N_ELEMENTS(options); i++)
        code = ub_ctx_set_option(context, options[i][0], options[i][1]);
    return code == 0 || fail(error, "the resolver's options", code);
}

static void forget_own_zones(struct ub_ctx *context)
{
    for (guint i = 0; i < G_N_ELEMENTS(own_zones); i++)
        ub_ctx_zone_remove(context, own_zones[i]);
}

static Dns *new_dns(GError **error)
{
    g_autoptr(Dns) dns = g_new0(Dns, 1);

    dns->context = ub_ctx_create();
    if (!dns->context) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE,
                    "DNS: the resolver cannot be started");
        return NULL;
    }
    return set_options(dns->context, error) ? g_steal_pointer(&dns) : NULL;
}

Dns *dns_open(const char *resolv_conf, GError **error)
{
    g_autoptr(Dns) dns = new_dns(error);
    int code = dns ? ub_ctx_resolvconf(dns->context, resolv_conf) : 0;

    if (!dns)
        return NULL;
    if (code != 0) {
        fail(error, resolv_conf, code);
        return NULL;
    }
    forget_own_zones(dns->context);
    return g_steal_pointer(&dns);
}

Dns *dns_open_server(const char *address, GError **error)
{
    g_autoptr(Dns) dns = new_dns(error);
    int code = dns ? ub_ctx_set_stub(dns->context, ".", address, 0) : 0;

    if (!dns)
        return NULL;
    if (code != 0) {
        fail(error, address, code);
        return NULL;
    }
    forget_own_zones(dns->context);
    dns->server = g_strdup(address);
    return g_steal_pointer(&dns);
}

void dns_close(Dns *dns)
{
    if (!dns)
        return;
    ub_ctx_delete(dns->context);
    g_free(dns->server);
    g_free(dns);
}

DnsQuestion *dns_question_new(const char *name, DnsType type)
{
    DnsQuestion *question = g_new0(DnsQuestion, 1);

    question->name = g_strdup(name);
    question->type = type;
    return question;
}

void dns_question_free(DnsQuestion *question)
{
    if (!question)
        return;
    g_free(question->name);
    g_clear_pointer(&question->records, g_ptr_array_unref);
    g_clear_error(&question->error);
    g_free(question);
}

/* One question on its way. */
typedef struct {
    DnsQuestion *question;
    int id;
    gint64 end;
    gboolean flying;
    gboolean done;
    int code;
    struct ub_result *result;
} Flight;

static void on_answer(void *data, int code, struct ub_result *result)
{
    Flight *flight = data;

    flight->done = TRUE;
    flight->code = code;
    flight->result = result;
}

static GPtrArray *read_records(const struct ub_result *result, DnsType type)
{
    g_autoptr(GPtrArray) records = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; result->data[i] && i < DNS_RECORDS_MAX; i++) {
        char *text = dns_record_text(type, (const guint8 *)result->data[i], (gsize)result->len[i]);
        if (text)
            g_ptr_array_add(records, text);
    }
    return g_steal_pointer(&records);
}

static gboolean is_name(const char *name, GError **error)
{
    gsize length = strlen(name);

    if (length > 0 && length <= NAME_TEXT_MAX + 1 && g_str_is_ascii(name) && !strchr(name, ' '))
        return TRUE;
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID,
                "DNS: a name has 1 to %d octets of ASCII", NAME_TEXT_MAX);
    return FALSE;
}

static void start(const Dns *dns, Flight *flight, DnsQuestion *question)
{
    flight->question = question;
    if (!is_name(question->name, &question->error))
        return;
    flight->end = g_get_monotonic_time() + (gint64)DNS_SECONDS * G_USEC_PER_SEC;
    int code = ub_resolve_async(dns->context, question->name, dns_type_number(question->type),
                                CLASS_IN, flight, on_answer, &flight->id);
    flight->flying = code == 0;
    if (code != 0)
        fail(&question->error, question->name, code);
}

static void take_result(const Dns *dns, DnsQuestion *question, const struct ub_result *result)
{
    g_autoptr(GPtrArray) records = result->havedata ? read_records(result, question->type) : NULL;

    if (records && records->len > 0)
        question->records = g_steal_pointer(&records);
    else if (result->rcode == RCODE_NOERROR || result->rcode == RCODE_NXDOMAIN)
        g_set_error(&question->error, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND,
                    "DNS: %s has no %s record", question->name, dns_type_word(question->type));
    else
        g_set_error(&question->error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE,
                    "DNS: %s %s: no useful answer from %s (code %d)", question->name,
                    dns_type_word(question->type), dns->server ? dns->server : "the resolver",
                    result->rcode);
}

/* Whether it is over, with or without an answer. */
static gboolean has_ended(const Dns *dns, Flight *flight, gint64 now)
{
    DnsQuestion *question = flight->question;

    if (!flight->done && now < flight->end)
        return FALSE;
    flight->flying = FALSE;
    if (!flight->done) {
        ub_cancel(dns->context, flight->id);
        g_set_error(&question->error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE,
                    "DNS: %s %s: no answer within %d seconds", question->name,
                    dns_type_word(question->type), DNS_SECONDS);
    } else if (flight->code != 0) {
        fail(&question->error, question->name, flight->code);
    } else {
        take_result(dns, question, flight->result);
    }
    if (flight->result)
        ub_resolve_free(flight->result);
    return TRUE;
}

/* Until something came or the next one is out of time; they end in the order in which they began. */
static void await(const Dns *dns, const Flight *flights, guint n)
{
    gint64 now = g_get_monotonic_time();
    struct pollfd ready = {.fd = ub_fd(dns->context), .events = POLLIN};
    guint first = 0;

    while (first < n && !flights[first].flying)
        first++;
    gint64 left = first < n ? (flights[first].end - now + 999) / 1000 : 0;
    if (left > 0 && poll(&ready, 1, (int)left) > 0)
        ub_process(dns->context);
}

void dns_ask_all(Dns *dns, DnsQuestion *const *questions, guint n, DnsAnswered answered,
                 gpointer data)
{
    g_autofree Flight *flights = g_new0(Flight, n);
    guint started = 0, ended = 0, first = 0;

    while (ended < n) {
        for (; started < n && started - ended < DNS_AT_ONCE; started++) {
            start(dns, &flights[started], questions[started]);
            ended += !flights[started].flying;
        }
        while (first < started && !flights[first].flying)
            first++;
        await(dns, flights + first, started - first);
        gint64 now = g_get_monotonic_time();
        for (guint i = first; i < started; i++)
            ended += flights[i].flying && has_ended(dns, &flights[i], now);
        if (answered)
            answered(ended, n, data);
    }
}

GPtrArray *dns_lookup(Dns *dns, const char *name, DnsType type, GError **error)
{
    DnsQuestion *question = dns_question_new(name, type);

    dns_ask_all(dns, &question, 1, NULL, NULL);
    GPtrArray *records = g_steal_pointer(&question->records);
    if (!records)
        g_propagate_error(error, g_steal_pointer(&question->error));
    dns_question_free(question);
    return records;
}
