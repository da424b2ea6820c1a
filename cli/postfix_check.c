/* SPDX-License-Identifier: MIT */
#include "cli/postfix_check.h"

#include <stdlib.h>
#include <string.h>

#define SEPARATORS   ", \t"
#define PIPE_PROGRAM "outrider-pipe http "

typedef enum { LEVEL_NOTE, LEVEL_CONFLICT } Level;
typedef enum {
    SCOPE_MAIN,
    SCOPE_LISTENER,
    SCOPE_SUBMIT,
    SCOPE_HOP,
    SCOPE_LANE,
    SCOPE_TRANSPORT,
} Scope;
typedef enum {
    TEST_SET,
    TEST_YES,
    TEST_NOT_ZERO,
    TEST_BELOW,
    TEST_HAS,
    TEST_LACKS,
} Test;

typedef struct {
    Level level;
    Scope scope;
    const char *parameter;
    Test test;
    const char *argument;
    const char *text;
} Conflict;

static const Conflict conflicts[] = {
#define X(LEVEL, SCOPE, parameter, TEST, argument, text)                                           \
    {LEVEL_##LEVEL, SCOPE_##SCOPE, parameter, TEST_##TEST, argument, text},
#include "cli/postfix_conflict.def"
#undef X
};

static void finding_free(gpointer data)
{
    PostfixFinding *finding = data;

    g_free(finding->where);
    g_free(finding->text);
    g_free(finding);
}

GPtrArray *postfix_findings_new(void)
{
    return g_ptr_array_new_with_free_func(finding_free);
}

void postfix_findings_add(GPtrArray *findings, gboolean conflict, const char *where,
                          const char *format, ...)
{
    PostfixFinding *finding = g_new0(PostfixFinding, 1);
    va_list arguments;

    va_start(arguments, format);
    finding->conflict = conflict;
    finding->where = g_strdup(where);
    finding->text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_ptr_array_add(findings, finding);
}

char *postfix_service_key(const PostfixService *service)
{
    return g_strdup_printf("%s/%.*s", service->name, (int)strcspn(service->fields, " "),
                           service->fields);
}

/* The same but for white space. */
static gboolean is_same(const char *a, const char *b)
{
    for (;; a++, b++) {
        a += strspn(a, " \t");
        b += strspn(b, " \t");
        if (*a != *b)
            return FALSE;
        if (!*a)
            return TRUE;
    }
}

gboolean postfix_begins_with(const char *value, const char *text)
{
    for (;; value++, text++) {
        value += strspn(value, SEPARATORS);
        text += strspn(text, SEPARATORS);
        if (!*text || *value != *text)
            return !*text;
    }
}

gboolean postfix_has_text(const char *value, const char *text)
{
    for (; *value; value++)
        if (postfix_begins_with(value, text))
            return TRUE;
    return FALSE;
}

/* How an admin may have changed a setting of main.cf that is ours. */
static gboolean is_kept(const PostfixSetting *setting, const char *value)
{
    static const char *const free_ones[] = {"outrider_tls_security_level", "outrider_hop_milters",
                                            "outrider_recipient_restrictions", NULL};
    gsize length = strlen(setting->value);

    if (g_strv_contains(free_ones, setting->name))
        return *value != '\0';
    if (g_str_equal(setting->name, "sender_dependent_default_transport_maps"))
        return g_str_has_prefix(value, setting->value) &&
               (!value[length] || strchr(SEPARATORS, value[length]));
    if (g_str_equal(setting->name, "outrider_milters"))
        return g_str_has_suffix(value, setting->value);
    return is_same(value, setting->value);
}

static void check_setting(const PostfixSetting *setting, const PostfixRunning *running,
                          GPtrArray *findings)
{
    const char *value = g_hash_table_lookup(running->written, setting->name);

    if (!value || !*value)
        postfix_findings_add(findings, TRUE, "main.cf", "%s is not set; set it to %s",
                             setting->name, setting->value);
    else if (!is_kept(setting, value))
        postfix_findings_add(findings, TRUE, "main.cf", "%s = %s, but should %s %s", setting->name,
                             value,
                             g_str_has_suffix(setting->name, "transport_maps") ? "begin with"
                             : g_str_equal(setting->name, "outrider_milters")  ? "end with"
                                                                               : "be",
                             setting->value);
}

/* TLS towards clients is the admin's, beyond what we print. */
static gboolean is_free_option(const PostfixService *service, const PostfixSetting *option)
{
    return service->group == POSTFIX_LISTENER && g_str_has_prefix(option->name, "smtpd_tls_");
}

static void check_options(const PostfixService *service, const char *key,
                          const PostfixRunning *running, GPtrArray *findings)
{
    g_autoptr(GString) missing = g_string_new(NULL);

    for (guint i = 0; i < service->options->len; i++) {
        const PostfixSetting *option = service->options->pdata[i];
        g_autofree char *name = g_strjoin("/", key, option->name, NULL);
        const char *value = g_hash_table_lookup(running->options, name);
        if (is_free_option(service, option))
            continue;
        if (!value)
            g_string_append_printf(missing, " -o %s=%s", option->name, option->value);
        else if (!is_same(value, option->value))
            postfix_findings_add(findings, TRUE, key, "%s=%s, but should be `%s'", option->name,
                                 value, option->value);
    }
    if (missing->len > 0)
        postfix_findings_add(findings, TRUE, key, "lacks%s", missing->str);
}

static void check_service(const PostfixService *service, const PostfixRunning *running,
                          GPtrArray *findings)
{
    g_autofree char *key = postfix_service_key(service);
    const char *command = g_hash_table_lookup(running->services, key);
    const char *ours = strrchr(service->fields, ' ') + 1;
    gboolean incoming = service->group == POSTFIX_HTTP || service->group == POSTFIX_LMTP ||
                        g_str_has_prefix(service->name, "outrider-out-");

    if (!command)
        postfix_findings_add(findings, TRUE, key,
                             "not in master.cf; `outrider postfix lines%s --master' prints it",
                             incoming ? " --incoming" : "");
    else if (!g_str_equal(command, ours))
        postfix_findings_add(findings, TRUE, key, "runs %s and not %s", command, ours);
    else if (service->command && !strstr(g_hash_table_lookup(running->lines, key), PIPE_PROGRAM))
        postfix_findings_add(findings, TRUE, key,
                             "does not run " PIPE_PROGRAM "; it should have %s", service->command);
    else
        check_options(service, key, running, findings);
}

static int compare_text(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Services with our daemon name, whatever their ports; an array of text that the table owns. */
static GPtrArray *running_listeners(const PostfixRunning *running)
{
    GPtrArray *keys = g_ptr_array_new();
    GHashTableIter iterator;
    gpointer key;

    g_hash_table_iter_init(&iterator, running->services);
    while (g_hash_table_iter_next(&iterator, &key, NULL)) {
        g_autofree char *option = g_strjoin("/", key, "milter_macro_daemon_name", NULL);
        if (g_strcmp0(g_hash_table_lookup(running->options, option), POSTFIX_DAEMON_NAME) == 0)
            g_ptr_array_add(keys, key);
    }
    g_ptr_array_sort(keys, compare_text);
    return keys;
}

void postfix_check_lines(const PostfixLines *lines, const PostfixRunning *running,
                         GPtrArray *findings)
{
    g_autoptr(GPtrArray) listeners = running_listeners(running);
    const PostfixService *listener = NULL;

    for (guint i = 0; i < lines->settings->len; i++)
        check_setting(lines->settings->pdata[i], running, findings);
    for (guint i = 0; i < lines->services->len; i++) {
        const PostfixService *service = lines->services->pdata[i];
        if (service->group == POSTFIX_LISTENER)
            listener = service;
        else
            check_service(service, running, findings);
    }
    for (guint i = 0; listener && i < listeners->len; i++)
        check_options(listener, listeners->pdata[i], running, findings);
    if (listeners->len == 0 && listener)
        postfix_findings_add(findings, TRUE, "master.cf",
                             "no submission service of ours; `outrider postfix lines --master' "
                             "prints them");
}

gboolean postfix_has_word(const char *value, const char *words)
{
    g_auto(GStrv) has = g_strsplit_set(value ? value : "", SEPARATORS, -1);
    g_auto(GStrv) wanted = g_strsplit(words, " ", -1);

    for (guint i = 0; has[i]; i++) {
        g_autofree char *word = g_ascii_strdown(has[i], -1);
        if (*word && g_strv_contains((const char *const *)wanted, word))
            return TRUE;
    }
    return FALSE;
}

static gboolean is_true(Test test, const char *value, const char *argument)
{
    switch (test) {
    case TEST_SET:
        return *value != '\0';
    case TEST_YES:
        return g_ascii_strcasecmp(value, "yes") == 0;
    case TEST_NOT_ZERO:
        return strtol(value, NULL, 10) != 0;
    case TEST_BELOW:
        return strtol(value, NULL, 10) < strtol(argument, NULL, 10);
    case TEST_HAS:
        return postfix_has_word(value, argument);
    default:
        return !postfix_has_word(value, argument);
    }
}

/* TRUE when there is a conflict, and told. service NULL: main.cf. */
static gboolean check_value(const Conflict *conflict, const char *service, const char *parameter,
                            const PostfixRunning *running, GPtrArray *findings)
{
    const char *value = postfix_running_value(running, service, parameter);

    if (!value || !is_true(conflict->test, value, conflict->argument))
        return FALSE;
    postfix_findings_add(findings, conflict->level == LEVEL_CONFLICT, service ? service : "main.cf",
                         "%s = %s: %s", parameter, value, conflict->text);
    return TRUE;
}

static gboolean is_in_scope(const PostfixService *service, Scope scope)
{
    switch (scope) {
    case SCOPE_SUBMIT:
        return service->group == POSTFIX_SUBMIT;
    case SCOPE_HOP:
        return service->group == POSTFIX_HOP || service->group == POSTFIX_INJECT;
    default:
        return service->group == POSTFIX_LANE;
    }
}

/* Tells of the first service of ours that it hits; what is main.cf's hits them alike. */
static void check_services(const Conflict *conflict, const PostfixLines *lines,
                           const PostfixRunning *running, GPtrArray *findings)
{
    for (guint i = 0; i < lines->services->len; i++) {
        const PostfixService *service = lines->services->pdata[i];
        g_autofree char *key = postfix_service_key(service);
        g_autofree char *parameter = g_strjoin("_", service->name, conflict->parameter, NULL);
        if (!is_in_scope(service, conflict->scope))
            continue;
        if (conflict->scope == SCOPE_TRANSPORT
                ? check_value(conflict, NULL, parameter, running, findings)
                : check_value(conflict, key, conflict->parameter, running, findings))
            return;
    }
}

void postfix_check_conflicts(const PostfixLines *lines, const PostfixRunning *running,
                             GPtrArray *findings)
{
    g_autoptr(GPtrArray) listeners = running_listeners(running);

    for (guint i = 0; i < G_N_ELEMENTS(conflicts); i++) {
        const Conflict *conflict = &conflicts[i];
        gboolean told = FALSE;
        if (conflict->scope == SCOPE_MAIN)
            check_value(conflict, NULL, conflict->parameter, running, findings);
        else if (conflict->scope != SCOPE_LISTENER)
            check_services(conflict, lines, running, findings);
        else
            for (guint l = 0; l < listeners->len && !told; l++)
                told = check_value(conflict, listeners->pdata[l], conflict->parameter, running,
                                   findings);
    }
}

static void check_certificate(const PostfixRunning *running, GPtrArray *findings)
{
    static const char *const names[] = {"smtpd_tls_cert_file", "smtpd_tls_chain_files",
                                        "smtpd_tls_eccert_file", "smtpd_tls_dcert_file"};

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        const char *value = postfix_running_value(running, NULL, names[i]);
        if (value && *value && !g_str_equal(value, "none"))
            return;
    }
    postfix_findings_add(findings, TRUE, "main.cf",
                         "smtpd_tls_cert_file is not set: without TLS the submission services let "
                         "nobody log in; name a certificate");
}

/* Seconds of a time as Postfix writes it: a number with s, m, h, d or w, days without; -1: none. */
static gint64 postfix_seconds(const char *text)
{
    static const struct {
        char unit;
        gint64 seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}, {'\0', 86400}};
    char *end;
    gint64 number = g_ascii_strtoll(text, &end, 10);

    for (guint i = 0; end != text && i < G_N_ELEMENTS(units); i++)
        if (*end == units[i].unit)
            return number * units[i].seconds;
    return -1;
}

static void check_lifetime(const Config *config, const PostfixRunning *running, GPtrArray *findings)
{
    const char *value = postfix_running_value(running, NULL, "maximal_queue_lifetime");

    if (value && postfix_seconds(value) > config_int(config, CONFIG_QUEUE_LIFETIME) / 1000)
        postfix_findings_add(
            findings, TRUE, "main.cf",
            "maximal_queue_lifetime = %s, longer than queue_lifetime: a submission "
            "that waits so long cannot be split any more; set queue_lifetime",
            value);
}

void postfix_check_agreement(const Config *config, const PostfixRunning *running,
                             GPtrArray *findings)
{
    const char *tag = config_string(config, CONFIG_MAIL_LOG_TAG);
    const char *log = config_string(config, CONFIG_MAIL_LOG);
    const char *name = postfix_running_value(running, NULL, "syslog_name");
    const char *file = postfix_running_value(running, NULL, "maillog_file");
    const char *queue = postfix_running_value(running, NULL, "queue_directory");
    g_autofree char *above = g_path_get_dirname(config_string(config, CONFIG_SOCKET_DIR));

    if (name && !g_str_equal(name, tag))
        postfix_findings_add(findings, TRUE, "main.cf",
                             "syslog_name = %s, but the worker reads lines of %s; set mail_log_tag "
                             "and print the lines again",
                             name, tag);
    if (file && *file && !g_str_equal(file, log))
        postfix_findings_add(findings, TRUE, "main.cf",
                             "maillog_file = %s, but the worker reads %s; set mail_log", file, log);
    if (queue && !g_str_equal(queue, above))
        postfix_findings_add(findings, TRUE, "main.cf",
                             "queue_directory = %s, but socket_dir is not in it; set socket_dir",
                             queue);
    check_lifetime(config, running, findings);
    check_certificate(running, findings);
}
