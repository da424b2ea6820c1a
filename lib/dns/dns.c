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
    static const char *const options[][2] = {{"unblock-lan-zones:", "yes"},
                                             {"do-not-query-localhost:", "no"},
                                             {"qname-minimisation:", "no"},
                                             {"module-config:", "iterator"}};
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

/* One question on its way. */
typedef struct {
    gboolean done;
    int code;
    struct ub_result *result;
} Question;

static void on_answer(void *data, int code, struct ub_result *result)
{
    Question *question = data;

    question->done = TRUE;
    question->code = code;
    question->result = result;
}

/* FALSE: no answer in time. */
static gboolean await(struct ub_ctx *context, const Question *question)
{
    gint64 end = g_get_monotonic_time() + (gint64)DNS_SECONDS * G_USEC_PER_SEC;

    while (!question->done) {
        gint64 left = (end - g_get_monotonic_time()) / 1000;
        struct pollfd ready = {.fd = ub_fd(context), .events = POLLIN};
        if (left <= 0)
            return FALSE;
        if (poll(&ready, 1, (int)left) > 0)
            ub_process(context);
    }
    return TRUE;
}

static struct ub_result *ask(const Dns *dns, const char *name, DnsType type, GError **error)
{
    Question question = {0};
    int id = 0;
    int code = ub_resolve_async(dns->context, name, dns_type_number(type), CLASS_IN, &question,
                                on_answer, &id);

    if (code == 0 && !await(dns->context, &question)) {
        ub_cancel(dns->context, id);
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE,
                    "DNS: %s %s: no answer within %d seconds", name, dns_type_word(type),
                    DNS_SECONDS);
        return NULL;
    }
    if (code == 0)
        code = question.code;
    if (code != 0)
        fail(error, name, code);
    return question.result;
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

GPtrArray *dns_lookup(Dns *dns, const char *name, DnsType type, GError **error)
{
    struct ub_result *result = is_name(name, error) ? ask(dns, name, type, error) : NULL;
    g_autoptr(GPtrArray) records = NULL;

    if (!result)
        return NULL;
    int rcode = result->rcode;
    if (result->havedata)
        records = read_records(result, type);
    ub_resolve_free(result);
    if (records && records->len > 0)
        return g_steal_pointer(&records);
    if (rcode == RCODE_NOERROR || rcode == RCODE_NXDOMAIN)
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND, "DNS: %s has no %s record",
                    name, dns_type_word(type));
    else
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE,
                    "DNS: %s %s: no useful answer from %s (code %d)", name, dns_type_word(type),
                    dns->server ? dns->server : "the resolver", rcode);
    return NULL;
}
