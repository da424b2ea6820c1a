/* SPDX-License-Identifier: MIT */
#include "lib/directory/limit_target.h"

#include <string.h>

#include "lib/base/error.h"

#define USER "user:"

void limit_target_clear(LimitTarget *subject)
{
    g_clear_pointer(&subject->owner, g_free);
    g_clear_pointer(&subject->name, g_free);
}

static gboolean invalid(GError **error, const char *field, const char *text, const char *allowed)
{
    g_autofree char *quoted = value_quote(text);

    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "%s: %s: %s", field, quoted,
                allowed);
    return FALSE;
}

/* Checks a text as a value of that kind and yields its canonical form. */
static gboolean read_name(ValueKind kind, const char *field, const char *text, char **name,
                          GError **error)
{
    Value value = {0};

    if (!value_read(kind, field, text, 0, &value, error))
        return FALSE;
    *name = g_steal_pointer(&value.text);
    return TRUE;
}

/* The database compares names without regard to blanks at their end. */
static gboolean read_user(const char *text, LimitTarget *subject, GError **error)
{
    gsize length = strlen(text);

    subject->kind = LIMIT_USER;
    if (length > 0 && (text[0] == ' ' || text[length - 1] == ' '))
        return invalid(error, "user", text, "allowed is no blank at the begin or end");
    return read_name(VALUE_TITLE, "user", text, &subject->name, error);
}

/* ORG, ORG/SERVER or ORG/SERVER/CREDENTIAL. */
static gboolean read_object(const char *text, LimitTarget *subject, GError **error)
{
    static const DirectoryObject objects[] = {DIRECTORY_ORGANIZATION, DIRECTORY_SERVER,
                                              DIRECTORY_CREDENTIAL};
    const char *first = strchr(text, '/');
    const char *second = first ? strchr(first + 1, '/') : NULL;
    g_auto(Path) path = {0};

    if (second)
        subject->kind = LIMIT_CREDENTIAL;
    else
        subject->kind = first ? LIMIT_SERVER : LIMIT_ORGANIZATION;
    subject->owner = second ? g_strndup(text, (gsize)(second - text)) : g_strdup(text);
    subject->name = g_strdup(second ? second + 1 : "");
    const char *const names[] = {subject->owner, subject->name};
    return path_read(objects[subject->kind], names, &path, error);
}

static gboolean is_object(const char *text)
{
    return *text && text[strcspn(text, ":@/")] != ':' && text[strcspn(text, ":@/")] != '@';
}

gboolean limit_target_read(const char *text, LimitTarget *subject, GError **error)
{
    g_auto(LimitTarget) found = {.kind = LIMIT_DOMAIN};
    gboolean good;

    if (*text == '@')
        good = read_name(VALUE_DOMAIN, "domain", text + 1, &found.name, error);
    else if (g_str_has_prefix(text, USER))
        good = read_user(text + strlen(USER), &found, error);
    else if (is_object(text))
        good = read_object(text, &found, error);
    else
        good =
            invalid(error, "subject", text,
                    "allowed are ORG, ORG/SERVER, ORG/SERVER/CREDENTIAL, @DOMAIN and " USER "NAME");
    if (!good)
        return FALSE;
    limit_target_clear(subject);
    *subject = found;
    memset(&found, 0, sizeof(found));
    return TRUE;
}

char *limit_target_text(const LimitTarget *subject)
{
    switch (subject->kind) {
    case LIMIT_CREDENTIAL:
        return g_strconcat(subject->owner, "/", subject->name, NULL);
    case LIMIT_DOMAIN:
        return g_strconcat("@", subject->name, NULL);
    case LIMIT_USER:
        return g_strconcat(USER, subject->name, NULL);
    default:
        return g_strdup(subject->owner);
    }
}

gboolean limit_rate_read(const char *text, guint32 *max, LimitPeriod *period, GError **error)
{
    const char *slash = strchr(text, '/');
    g_autofree char *count = g_strndup(text, slash ? (gsize)(slash - text) : 0);
    guint64 number;
    LimitPeriod found;

    if (!slash || !g_ascii_string_to_unsigned(count, 10, 0, LIMIT_MAX, &number, NULL) ||
        !limit_period_read(slash + 1, &found))
        return invalid(error, "rate", text,
                       "allowed is COUNT/PERIOD: 0 (nothing) to " G_STRINGIFY(
                           LIMIT_MAX) ", and second, minute, hour or day");
    *max = (guint32)number;
    *period = found;
    return TRUE;
}

gboolean limit_target_period_read(const char *text, LimitPeriod *period, GError **error)
{
    return limit_period_read(text, period) ||
           invalid(error, "period", text, "allowed are second, minute, hour and day");
}

gboolean limit_target_action_read(const char *text, LimitAction *action, GError **error)
{
    return limit_action_read(text, action) ||
           invalid(error, "action", text, "allowed are hold, defer and reject");
}
