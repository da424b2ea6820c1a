/* SPDX-License-Identifier: MIT */
#include "cli/postfix_incoming.h"

#include <string.h>

#define OTHERS "regexp:{maps}/other-recipients.regexp"
#define CLASS  "outrider_incoming"

typedef enum { FIRST, LAST } Place;

/* What ours does there: takes mail in, or has a look at it before it is sent. */
typedef enum { TAKES, LOOKS } Task;

/* mark: by which ours is known in a value, however it is spaced. */
static const struct {
    const char *parameter;
    const char *ours;
    const char *mark;
    Place place;
    Task task;
    const char *comment;
} tables[] = {
    {"relay_domains",
     "pipemap:{regexp:{maps}/our-domains.regexp, socketmap:unix:{sockets}/map:relaydom}",
     "/our-domains.regexp", LAST, TAKES,
     "In the place of the settings of these names that you have; what they had stands in them."},
    {"relay_recipient_maps",
     "pipemap:{regexp:{maps}/our-recipients.regexp, socketmap:unix:{sockets}/map:relayrcpt}",
     "/our-recipients.regexp", FIRST, TAKES, NULL},
    {"transport_maps", "regexp:{maps}/transports.regexp", "/transports.regexp", FIRST, TAKES, NULL},
    {"smtpd_restriction_classes", CLASS, CLASS, LAST, LOOKS, NULL},
    {"smtpd_recipient_restrictions",
     "check_recipient_access pipemap:{regexp:{maps}/our-recipients.regexp, static:" CLASS "}",
     "static:" CLASS, FIRST, LOOKS, NULL},
};

/* Where an address's domain makes it another's than relay_domains says. */
static const char *const classes[] = {"mydestination", "virtual_alias_domains",
                                      "virtual_mailbox_domains"};

static const char *written(const PostfixRunning *running, const char *parameter)
{
    const char *value = g_hash_table_lookup(running->written, parameter);

    return value ? value : "";
}

/* An expression as it is written stays as it is, unless nothing comes of it. */
static const char *others_of(const PostfixRunning *running, const char *parameter)
{
    const char *expanded = postfix_running_value(running, NULL, parameter);

    return expanded && *expanded ? written(running, parameter) : "";
}

gboolean postfix_incoming_attached(const PostfixRunning *running)
{
    for (guint i = 0; i < G_N_ELEMENTS(tables); i++)
        if (strstr(written(running, tables[i].parameter), tables[i].mark))
            return TRUE;
    return FALSE;
}

static char *merge(const Config *config, const PostfixRunning *running, guint i)
{
    const char *others = others_of(running, tables[i].parameter);
    gboolean passes = g_str_equal(tables[i].parameter, "relay_recipient_maps") && !*others;
    g_autofree char *ours = postfix_lines_value(config, tables[i].ours);
    g_autofree char *pass = postfix_lines_value(config, OTHERS);

    if (strstr(others, tables[i].mark))
        return g_strdup(others);
    if (passes)
        return g_strjoin(", ", ours, pass, NULL);
    if (!*others)
        return g_steal_pointer(&ours);
    return tables[i].place == FIRST ? g_strjoin(", ", ours, others, NULL)
                                    : g_strjoin(", ", others, ours, NULL);
}

void postfix_incoming_settings(const Config *config, const PostfixRunning *running,
                               GPtrArray *settings)
{
    for (guint i = 0; i < G_N_ELEMENTS(tables); i++) {
        g_autofree char *value = merge(config, running, i);
        postfix_lines_add(settings, tables[i].parameter, value, tables[i].comment);
    }
}

/* What is amiss where ours is not. */
static const char *const without[] = {
    [TAKES] = "has no table for incoming mail",
    [LOOKS] = "does not ask about size and rate before a message is sent"};

static void check_tables(const Config *config, const PostfixRunning *running, GPtrArray *findings)
{
    for (guint i = 0; i < G_N_ELEMENTS(tables); i++) {
        g_autofree char *ours = postfix_lines_value(config, tables[i].ours);
        g_autofree char *wanted = merge(config, running, i);
        const char *value = written(running, tables[i].parameter);
        if (!strstr(value, tables[i].mark))
            postfix_findings_add(findings, tables[i].task == TAKES, "main.cf",
                                 "%s %s; set it to %s", tables[i].parameter,
                                 without[tables[i].task], wanted);
        else if (!postfix_has_text(value, ours))
            postfix_findings_add(findings, TRUE, "main.cf", "%s = %s, but should have %s",
                                 tables[i].parameter, value, ours);
        else if (tables[i].place == FIRST && tables[i].task == TAKES &&
                 !postfix_begins_with(value, ours))
            postfix_findings_add(
                findings, FALSE, "main.cf",
                "%s has a table before ours, which decides first about our recipients",
                tables[i].parameter);
    }
}

/* What is larger than the hop takes would be taken in, and come back as a bounce. */
static void check_size(const Config *config, const PostfixRunning *running, GPtrArray *findings)
{
    const char *value = postfix_running_value(running, NULL, "message_size_limit");
    gint64 max = config_int(config, CONFIG_MESSAGE_SIZE_MAX);
    guint64 limit;

    if (value && g_ascii_string_to_unsigned(value, 10, 0, G_MAXINT64, &limit, NULL) &&
        (limit == 0 || limit > (guint64)max))
        postfix_findings_add(
            findings, TRUE, "main.cf",
            "message_size_limit = %s, more than message_size_max has: such mail is "
            "taken in and comes back as a bounce; set it to %" G_GINT64_FORMAT " or less",
            value, max);
}

/* With nothing but ours in it, recipients of other relay domains would be unknown. */
static void check_pass(const Config *config, const PostfixRunning *running, GPtrArray *findings)
{
    const char *recipients = written(running, "relay_recipient_maps");
    g_autofree char *ours = postfix_lines_value(config, tables[1].ours);
    g_autofree char *pass = postfix_lines_value(config, OTHERS);

    if (postfix_begins_with(recipients, ours) && postfix_begins_with(ours, recipients))
        postfix_findings_add(
            findings, TRUE, "main.cf",
            "relay_recipient_maps has our table only: each recipient of your other relay "
            "domains is refused; add %s, or a table of them",
            pass);
}

static void check_class(const char *domain, const PostfixRunning *running, GPtrArray *findings)
{
    for (guint i = 0; i < G_N_ELEMENTS(classes); i++)
        if (postfix_has_word(postfix_running_value(running, NULL, classes[i]), domain))
            postfix_findings_add(
                findings, TRUE, "main.cf",
                "%s has %s: its recipients are not looked up as routes, so take it out", classes[i],
                domain);
}

void postfix_incoming_check(const Config *config, const PostfixRunning *running,
                            const GPtrArray *domains, GPtrArray *findings)
{
    const char *unlisted = postfix_running_value(running, NULL, "smtpd_reject_unlisted_recipient");
    const char *forward = config_string(config, CONFIG_ROUTE_DOMAIN);

    if (!postfix_incoming_attached(running)) {
        if (domains->len > 0)
            postfix_findings_add(
                findings, FALSE, "main.cf",
                "there are routes, but no mail is taken in for them; `outrider postfix "
                "lines --incoming' prints what that needs");
        return;
    }
    check_tables(config, running, findings);
    check_pass(config, running, findings);
    check_size(config, running, findings);
    if (g_strcmp0(unlisted, "no") == 0)
        postfix_findings_add(
            findings, TRUE, "main.cf",
            "smtpd_reject_unlisted_recipient = no: mail to unknown addresses is taken, and "
            "comes back as a bounce; set it to yes");
    for (guint i = 0; i < domains->len; i++)
        check_class(domains->pdata[i], running, findings);
    check_class(config_string(config, CONFIG_RETURN_PATH_DOMAIN), running, findings);
    if (*forward)
        check_class(forward, running, findings);
}
