/* SPDX-License-Identifier: MIT */
#include "cli/postfix_lines.h"

#include <netdb.h>
#include <string.h>

/* No host has these (RFC 7600 section 4.1, RFC 6666): what is bound to them waits. */
#define NOBODYS_IPV4 "192.0.0.8"
#define NOBODYS_IPV6 "100::1"

static const struct {
    PostfixGroup group;
    const char *name;
    const char *value;
    const char *comment;
} table[] = {
#define X(GROUP, name, value, comment) {POSTFIX_##GROUP, name, value, comment},
#include "cli/postfix_line.def"
#undef X
};

typedef struct {
    char *maps;
    char *sockets;
    const char *log;
    PostfixLines *lines;
} Maker;

static void setting_free(gpointer data)
{
    PostfixSetting *setting = data;

    g_free(setting->name);
    g_free(setting->value);
    g_free(setting);
}

void postfix_service_free(PostfixService *service)
{
    if (!service)
        return;
    g_free(service->name);
    g_ptr_array_unref(service->options);
    g_free(service->command);
    g_free(service);
}

void postfix_lines_free(PostfixLines *lines)
{
    if (!lines)
        return;
    g_ptr_array_unref(lines->settings);
    g_ptr_array_unref(lines->services);
    g_free(lines->note);
    g_free(lines);
}

static char *fill_in(const Maker *maker, const char *value)
{
    GString *text = g_string_new(value);

    g_string_replace(text, "{maps}", maker->maps, 0);
    g_string_replace(text, "{sockets}", maker->sockets, 0);
    g_string_replace(text, "{log}", maker->log, 0);
    return g_string_free(text, FALSE);
}

void postfix_lines_add(GPtrArray *settings, const char *name, const char *value,
                       const char *comment)
{
    PostfixSetting *setting = g_new0(PostfixSetting, 1);

    setting->name = g_strdup(name);
    setting->value = g_strdup(value);
    setting->comment = comment;
    g_ptr_array_add(settings, setting);
}

static void add_setting(GPtrArray *settings, const char *name, const char *value)
{
    postfix_lines_add(settings, name, value, NULL);
}

static void add_group(const Maker *maker, GPtrArray *settings, PostfixGroup group)
{
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        if (table[i].group != group)
            continue;
        g_autofree char *value = fill_in(maker, table[i].value);
        postfix_lines_add(settings, table[i].name, value, table[i].comment);
    }
}

/* Takes name. */
static PostfixService *new_service(const Maker *maker, PostfixGroup group, char *name,
                                   const char *fields)
{
    PostfixService *service = g_new0(PostfixService, 1);

    service->group = group;
    service->name = name;
    service->fields = fields;
    service->options = g_ptr_array_new_with_free_func(setting_free);
    add_group(maker, service->options, group);
    return service;
}

/* Takes name. */
static PostfixService *add_service(const Maker *maker, PostfixGroup group, char *name,
                                   const char *fields)
{
    PostfixService *service = new_service(maker, group, name, fields);

    g_ptr_array_add(maker->lines->services, service);
    return service;
}

typedef enum { TLS_OFFERED, TLS_WRAPPED, TLS_NOT_NEEDED } ListenerTls;

/* Takes name. */
static void add_listener(const Maker *maker, char *name, ListenerTls tls)
{
    PostfixService *service = add_service(maker, POSTFIX_LISTENER, name, "inet n - y - - smtpd");

    add_setting(service->options, "smtpd_tls_security_level",
                tls == TLS_WRAPPED ? "encrypt" : "may");
    add_setting(service->options, "smtpd_tls_wrappermode", tls == TLS_WRAPPED ? "yes" : "no");
    add_setting(service->options, "smtpd_tls_auth_only", tls == TLS_NOT_NEEDED ? "no" : "yes");
}

static gboolean is_own_address(const struct addrinfo *address, char *text, socklen_t size)
{
    return getnameinfo(address->ai_addr, address->ai_addrlen, text, size, NULL, 0,
                       NI_NUMERICHOST) == 0 &&
           !g_str_has_prefix(text, "127.") && !g_str_equal(text, "::1") && !strchr(text, '%');
}

/* With a listener on a loopback address port 2525 cannot be bound on all: one listener for each
 * address that this host's name has. */
static void add_bound(const Maker *maker, const char *hostname)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    guint added = 0;

    if (getaddrinfo(hostname, NULL, &hints, &found) != 0)
        found = NULL;
    for (const struct addrinfo *a = found; a; a = a->ai_next) {
        char text[NI_MAXHOST];
        if (!is_own_address(a, text, sizeof(text)))
            continue;
        add_listener(maker,
                     g_strdup_printf(a->ai_family == AF_INET6 ? "[%s]:2525" : "%s:2525", text),
                     TLS_OFFERED);
        added++;
    }
    if (found)
        freeaddrinfo(found);
    if (added == 0)
        maker->lines->note = g_strdup_printf(
            "%s has no address but loopback here: no 2525 with TLS, since `2525' alone would clash "
            "with the listener on loopback.",
            hostname);
}

static void add_submission(const Maker *maker, const char *hostname, const char *plain)
{
    add_listener(maker, g_strdup("587"), TLS_OFFERED);
    add_listener(maker, g_strdup("465"), TLS_WRAPPED);
    if (plain) {
        add_bound(maker, hostname);
        add_listener(maker, g_strdup_printf(strchr(plain, ':') ? "[%s]:2525" : "%s:2525", plain),
                     TLS_NOT_NEEDED);
    } else {
        add_listener(maker, g_strdup("2525"), TLS_OFFERED);
    }
    add_service(maker, POSTFIX_SUBMIT, g_strdup("outrider-submit"), "unix n - y - 0 cleanup");
}

static void add_loopback(const Maker *maker, PostfixGroup group, gint64 port)
{
    PostfixService *service =
        add_service(maker, group, g_strdup_printf("127.0.0.1:%" G_GINT64_FORMAT, port),
                    "inet n - y - 30 smtpd");

    add_group(maker, service->options, POSTFIX_LOOPBACK);
}

static void add_hop(const Maker *maker, const Config *config)
{
    add_service(maker, POSTFIX_SPLIT, g_strdup("outrider-split"), "unix - - y - 10 smtp");
    add_loopback(maker, POSTFIX_HOP, config_int(config, CONFIG_HOP_PORT));
    add_loopback(maker, POSTFIX_INJECT, config_int(config, CONFIG_INJECT_PORT));
    add_service(maker, POSTFIX_HOP_CLEANUP, g_strdup("outrider-hop-cleanup"),
                "unix n - y - 0 cleanup");
}

/* kind: ip or sh. */
static PostfixService *new_lane(const Maker *maker, const char *kind, gint64 lane)
{
    PostfixService *service = new_service(
        maker, POSTFIX_LANE, g_strdup_printf("outrider-%s%" G_GINT64_FORMAT, kind, lane),
        "unix - - y - - smtp");
    g_autofree char *log = g_strjoin("/", maker->log, service->name, NULL);

    add_setting(service->options, "syslog_name", log);
    return service;
}

/* of: the address or what is left of its lane, which says what its pool wants. */
static PostfixService *new_address(const Maker *maker, gint64 lane, const Record *address,
                                   const Record *of)
{
    const char *ipv4 = address ? record_text(address, "ipv4") : NULL;
    const char *ipv6 = address ? record_text(address, "ipv6") : NULL;
    gboolean waits = g_strcmp0(record_text(of, "fallback"), "defer") == 0;
    PostfixService *service = new_lane(maker, "ip", lane);

    add_group(maker, service->options, POSTFIX_ADDRESS);
    add_setting(service->options, "smtp_bind_address_enforce", waits ? "yes" : "no");
    if (!address) {
        add_setting(service->options, "smtp_bind_address", waits ? NOBODYS_IPV4 : "");
        add_setting(service->options, "smtp_bind_address6", waits ? NOBODYS_IPV6 : "");
        return service;
    }
    add_setting(service->options, "smtp_helo_name", record_text(address, "helo"));
    add_setting(service->options, "smtp_bind_address", ipv4);
    add_setting(service->options, "smtp_bind_address6", ipv6 ? ipv6 : "");
    if (!ipv6) {
        /* inet_interfaces of the host may name IPv6 addresses, which smtp would refuse now. */
        add_setting(service->options, "inet_protocols", "ipv4");
        add_setting(service->options, "inet_interfaces", ipv4);
    }
    return service;
}

char *postfix_secret_path(const Config *config, gint64 lane)
{
    g_autofree char *name = g_strdup_printf("outrider-secret/sh%" G_GINT64_FORMAT, lane);

    return config_path(config, CONFIG_POSTFIX_CONFIG_DIR, name);
}

/* Port 465 begins with TLS, which Postfix knows for mandatory TLS only. */
static void add_tls(GPtrArray *options, const char *tls, gboolean wrapped)
{
    gboolean none = g_str_equal(tls, "none");
    const char *level = g_str_equal(tls, "verify")           ? "secure"
                        : wrapped && g_str_equal(tls, "may") ? "encrypt"
                                                             : tls;

    add_setting(options, "smtp_tls_security_level", level);
    add_setting(options, "smtp_tls_wrappermode", wrapped && !none ? "yes" : "no");
}

static PostfixService *new_smarthost(const Maker *maker, const Config *config, const Record *host)
{
    gint64 lane = record_int(host, "lane");
    PostfixService *service = new_lane(maker, "sh", lane);

    add_group(maker, service->options, POSTFIX_SMARTHOST);
    add_tls(service->options, record_text(host, "tls"), record_int(host, "port") == 465);
    if (record_is_null(host, "username")) {
        add_setting(service->options, "smtp_sasl_auth_enable", "no");
        return service;
    }
    g_autofree char *path = postfix_secret_path(config, lane);
    g_autofree char *map = g_strconcat("texthash:", path, NULL);
    add_group(maker, service->options, POSTFIX_LOGIN);
    add_setting(service->options, "smtp_sasl_password_maps", map);
    return service;
}

static void add_ways(const Maker *maker, const Config *config, const PostfixWays *ways)
{
    Record *addresses = ways ? ways->addresses : NULL;
    Record *smarthosts = ways ? ways->smarthosts : NULL;

    for (gsize i = 0; addresses && i < json_object_array_length(addresses); i++) {
        const Record *address = json_object_array_get_idx(addresses, i);
        g_ptr_array_add(maker->lines->services,
                        new_address(maker, record_int(address, "lane"), address, address));
    }
    for (gsize i = 0; smarthosts && i < json_object_array_length(smarthosts); i++)
        g_ptr_array_add(maker->lines->services,
                        new_smarthost(maker, config, json_object_array_get_idx(smarthosts, i)));
}

static void maker_open(Maker *maker, const Config *config)
{
    maker->maps = config_path(config, CONFIG_POSTFIX_CONFIG_DIR, "outrider");
    maker->sockets = g_path_get_basename(config_string(config, CONFIG_SOCKET_DIR));
    maker->log = config_string(config, CONFIG_MAIL_LOG_TAG);
}

static void maker_clear(Maker *maker)
{
    g_free(maker->maps);
    g_free(maker->sockets);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Maker, maker_clear)

PostfixService *postfix_lines_address(const Config *config, gint64 lane, const Record *address,
                                      const Record *of)
{
    g_auto(Maker) maker = {0};

    maker_open(&maker, config);
    return new_address(&maker, lane, address, of);
}

PostfixService *postfix_lines_smarthost(const Config *config, const Record *host)
{
    g_auto(Maker) maker = {0};

    maker_open(&maker, config);
    return new_smarthost(&maker, config, host);
}

char *postfix_lines_value(const Config *config, const char *value)
{
    g_auto(Maker) maker = {0};

    maker_open(&maker, config);
    return fill_in(&maker, value);
}

/* How much TLS each of them wants, as an endpoint and as Postfix says it. */
static void add_out(const Maker *maker)
{
    static const struct {
        const char *level, *name;
    } levels[] = {{"none", "none"}, {"may", "may"}, {"encrypt", "encrypt"}, {"verify", "secure"}};

    for (guint i = 0; i < G_N_ELEMENTS(levels); i++) {
        PostfixService *service =
            add_service(maker, POSTFIX_LANE, g_strconcat("outrider-out-", levels[i].level, NULL),
                        "unix - - y - - smtp");
        g_autofree char *log = g_strjoin("/", maker->log, service->name, NULL);
        add_setting(service->options, "syslog_name", log);
        add_group(maker, service->options, POSTFIX_OUT);
        add_setting(service->options, "smtp_tls_security_level", levels[i].name);
    }
}

/* A value in one word each, so that none can be taken for an option. */
static char *pipe_command(const char *config_file)
{
    g_autofree char *config =
        config_file ? g_strdup_printf(" --config=%s", config_file) : g_strdup("");

    return g_strdup_printf(
        "flags= user=outrider-pipe:outrider null_sender= eol=\\r\\n argv=" OUTRIDER_SBIN_DIR
        "/outrider-pipe http%s --endpoint=${nexthop} --sender=${sender} "
        "--recipient=${recipient} --queue-id=${queue_id}",
        config);
}

PostfixLines *postfix_lines_incoming(const Config *config, const char *config_file)
{
    g_auto(Maker) maker = {0};
    PostfixLines *lines = g_new0(PostfixLines, 1);

    maker_open(&maker, config);
    maker.lines = lines;
    lines->settings = g_ptr_array_new_with_free_func(setting_free);
    lines->services = g_ptr_array_new_with_free_func((GDestroyNotify)postfix_service_free);
    add_group(&maker, lines->settings, POSTFIX_INCOMING);
    PostfixService *http =
        add_service(&maker, POSTFIX_HTTP, g_strdup("outrider-http"), "unix - n n - 50 pipe");
    http->command = pipe_command(config_file);
    add_out(&maker);
    /* Not chrooted: the path of a socket is that of the host. */
    add_service(&maker, POSTFIX_LMTP, g_strdup("outrider-lmtp"), "unix - - n - - lmtp");
    return lines;
}

PostfixLines *postfix_lines_make(const Config *config, const char *plain, const PostfixWays *ways)
{
    g_auto(Maker) maker = {0};
    PostfixLines *lines = g_new0(PostfixLines, 1);

    maker_open(&maker, config);
    maker.lines = lines;
    lines->settings = g_ptr_array_new_with_free_func(setting_free);
    lines->services = g_ptr_array_new_with_free_func((GDestroyNotify)postfix_service_free);
    add_group(&maker, lines->settings, POSTFIX_MAIN);
    add_submission(&maker, config_string(config, CONFIG_HOSTNAME), plain);
    add_hop(&maker, config);
    add_ways(&maker, config, ways);
    return lines;
}
