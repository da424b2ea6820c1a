/* SPDX-License-Identifier: MIT */
#include "cli/postfix_apply.h"

#include <string.h>

#include "cli/postfix_check.h"
#include "lib/base/error.h"

#define PASSWORD_MAX 512

void postfix_plan_free(PostfixPlan *plan)
{
    if (!plan)
        return;
    g_array_unref(plan->served);
    g_ptr_array_unref(plan->services);
    g_ptr_array_unref(plan->removed);
    g_free(plan);
}

gboolean postfix_is_here(const Record *address, GHashTable *here)
{
    const char *ipv6 = record_text(address, "ipv6");

    return g_hash_table_contains(here, record_text(address, "ipv4")) &&
           (!ipv6 || g_hash_table_contains(here, ipv6));
}

static gboolean is_unusable(const PostfixFacts *facts, gint64 lane)
{
    for (guint i = 0; facts->unusable && i < facts->unusable->len; i++)
        if (((const PostfixUnusable *)facts->unusable->pdata[i])->lane == lane)
            return TRUE;
    return FALSE;
}

/* Whether master.cf has it just so; what an admin added stays unnoticed. */
static gboolean is_there(const PostfixService *service, const PostfixRunning *running)
{
    g_autofree char *key = postfix_service_key(service);

    if (!g_hash_table_contains(running->services, key))
        return FALSE;
    for (guint i = 0; i < service->options->len; i++) {
        const PostfixSetting *option = service->options->pdata[i];
        g_autofree char *name = g_strjoin("/", key, option->name, NULL);
        if (g_strcmp0(g_hash_table_lookup(running->options, name), option->value) != 0)
            return FALSE;
    }
    return TRUE;
}

/* Takes service. */
static void want(PostfixPlan *plan, PostfixService *service, const PostfixRunning *running)
{
    if (is_there(service, running))
        postfix_service_free(service);
    else
        g_ptr_array_add(plan->services, service);
}

static void serve(PostfixPlan *plan, gint64 lane)
{
    guint32 number = (guint32)lane;

    g_array_append_val(plan->served, number);
}

static const Record *find_lane(Record *list, gint64 lane)
{
    for (gsize i = 0; list && i < json_object_array_length(list); i++)
        if (record_int(json_object_array_get_idx(list, i), "lane") == lane)
            return json_object_array_get_idx(list, i);
    return NULL;
}

/* The first address of the pool that takes mail here; NULL: none does. */
static const Record *stand_in(const PostfixFacts *facts, gint64 pool)
{
    Record *list = facts->ways.addresses;

    for (gsize i = 0; i < json_object_array_length(list); i++) {
        const Record *address = json_object_array_get_idx(list, i);
        if (record_int(address, "ip_pool_id") == pool && record_int(address, "weight") > 0 &&
            postfix_is_here(address, facts->here))
            return address;
    }
    return NULL;
}

/* A service of ours that is not served. */
static void retire(PostfixPlan *plan, const Config *config, const PostfixFacts *facts,
                   const PostfixRunning *running, const char *key, gboolean address, gint64 lane)
{
    const Record *known = find_lane(facts->ways.addresses, lane);

    if (!known)
        known = find_lane(facts->gone, lane);
    if (!known && !find_lane(facts->ways.smarthosts, lane))
        g_ptr_array_add(plan->removed, g_strdup(key));
    else if (address && known)
        want(plan,
             postfix_lines_address(config, lane, stand_in(facts, record_int(known, "ip_pool_id")),
                                   known),
             running);
}

gint64 postfix_service_lane(const char *key, const char *kind)
{
    g_auto(GStrv) parts = g_strsplit(key, "/", 2);
    g_autofree char *prefix = g_strconcat("outrider-", kind, NULL);
    guint64 lane;

    return g_str_has_prefix(key, prefix) && g_strcmp0(parts[1], "unix") == 0 &&
                   g_ascii_string_to_unsigned(parts[0] + strlen(prefix), 10, 1, G_MAXUINT32, &lane,
                                              NULL)
               ? (gint64)lane
               : 0;
}

static gboolean is_served(const PostfixPlan *plan, gint64 lane)
{
    for (guint i = 0; i < plan->served->len; i++)
        if (g_array_index(plan->served, guint32, i) == lane)
            return TRUE;
    return FALSE;
}

static void retire_all(PostfixPlan *plan, const Config *config, const PostfixFacts *facts,
                       const PostfixRunning *running)
{
    static const char *const kinds[] = {"ip", "sh"};
    g_autoptr(GList) keys = g_hash_table_get_keys(running->services);

    for (const GList *key = keys; key; key = key->next)
        for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
            gint64 lane = postfix_service_lane(key->data, kinds[i]);
            if (lane && !is_served(plan, lane))
                retire(plan, config, facts, running, key->data, i == 0, lane);
        }
}

PostfixPlan *postfix_plan_make(const Config *config, const PostfixFacts *facts,
                               const PostfixRunning *running)
{
    PostfixPlan *plan = g_new0(PostfixPlan, 1);
    Record *addresses = facts->ways.addresses, *smarthosts = facts->ways.smarthosts;

    plan->served = g_array_new(FALSE, FALSE, sizeof(guint32));
    plan->services = g_ptr_array_new_with_free_func((GDestroyNotify)postfix_service_free);
    plan->removed = g_ptr_array_new_with_free_func(g_free);
    for (gsize i = 0; i < json_object_array_length(addresses); i++) {
        const Record *address = json_object_array_get_idx(addresses, i);
        gint64 lane = record_int(address, "lane");
        if (!postfix_is_here(address, facts->here))
            continue;
        serve(plan, lane);
        want(plan, postfix_lines_address(config, lane, address, address), running);
    }
    for (gsize i = 0; i < json_object_array_length(smarthosts); i++) {
        const Record *host = json_object_array_get_idx(smarthosts, i);
        gint64 lane = record_int(host, "lane");
        if (is_unusable(facts, lane))
            continue;
        serve(plan, lane);
        want(plan, postfix_lines_smarthost(config, host), running);
    }
    retire_all(plan, config, facts, running);
    return plan;
}

char *postfix_service_entry(const PostfixService *service)
{
    g_autofree char *key = postfix_service_key(service);
    GString *text = g_string_new(NULL);

    g_string_append_printf(text, "%s=%s %s", key, service->name, service->fields);
    for (guint i = 0; i < service->options->len; i++) {
        const PostfixSetting *option = service->options->pdata[i];
        g_string_append_printf(text, strchr(option->value, ' ') ? " -o { %s = %s }" : " -o %s=%s",
                               option->name, option->value);
    }
    return g_string_free(text, FALSE);
}

char *postfix_secret_line(const Record *smarthost, const char *text, GError **error)
{
    g_autofree char *password = g_strndup(text, strcspn(text, "\r\n"));
    gsize length = strlen(password);
    const char *wrong = NULL;

    if (length == 0 || length > PASSWORD_MAX)
        wrong = "its first line is to be a password of 1 to 512 octets";
    else if (g_ascii_isspace(password[0]) || g_ascii_isspace(password[length - 1]))
        wrong = "the password may not begin or end with a blank";
    for (gsize i = 0; !wrong && i < length; i++)
        if (g_ascii_iscntrl(password[i]))
            wrong = "the password has control characters";
    char *line =
        wrong ? NULL
              : g_strdup_printf("[%s]:%" G_GINT64_FORMAT " %s:%s\n", record_text(smarthost, "host"),
                                record_int(smarthost, "port"), record_text(smarthost, "username"),
                                password);
    memset(password, 0, length);
    if (wrong)
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "%s: %s",
                    record_text(smarthost, "secret_file"), wrong);
    return line;
}

char *postfix_secret_file(const char *line, const char *old)
{
    GString *text = g_string_new(line);
    gsize key = strcspn(line, " ");
    guint kept = 0;

    for (const char *next = old; next && *next && kept < POSTFIX_SECRET_EARLIER;) {
        gsize length = strcspn(next, "\n");
        if (strcspn(next, " ") != key || strncmp(next, line, key) != 0) {
            g_string_append_len(text, next, (gssize)length);
            g_string_append_c(text, '\n');
            kept++;
        }
        next += length + (next[length] ? 1 : 0);
    }
    return g_string_free(text, FALSE);
}
