/* SPDX-License-Identifier: MIT */
#include "milters/dispatch.h"

#include <string.h>

#include "lib/journal/held.h"
#include "lib/mailauth/field_rule.h"
#include "lib/mime/field.h"
#include "lib/mime/received.h"
#include "lib/seal/claim.h"
#include "lib/seal/msgid.h"
#include "lib/seal/return_path.h"
#include "milters/edit.h"
#include "milters/lane.h"

#define FEEDBACK_PART_MAX 40

#define ODD_BLANKS "\v\f"

#define OWN_PREFIX "X-Outrider-"
#define OWN_TAG    "X-Outrider-Tag"
#define POSTAL_TAG "X-Postal-Tag"
#define TRACK_SKIP "X-AMP" /* read by lib/tracking before */

static void hold(DispatchVerdict *verdict, HoldRule rule, gboolean shadow)
{
    if (shadow) {
        verdict->would_hold = hold_rule_reason(rule);
        return;
    }
    verdict->hold = hold_rule_reason(rule);
    verdict->hold_rule = hold_rule_word(rule);
}

void dispatch_hold_by_limit(DispatchVerdict *verdict, const char *reason)
{
    hold(verdict, HOLD_LIMIT, FALSE);
    verdict->hold = reason;
}

/* The name itself counts too: d= of a parent is aligned with From (RFC 7489 section 3.1.1, relaxed). */
static gboolean is_below(const char *name, const char *parent)
{
    gsize length = strlen(name), tail = strlen(parent);

    return length >= tail && g_ascii_strcasecmp(name + length - tail, parent) == 0 &&
           (length == tail || name[length - tail - 1] == '.');
}

char *dispatch_return_path(const EdgeDomain *domain, const char *label, const char *installation)
{
    if (g_strcmp0(domain->return_path_label, label) != 0 ||
        strlen(label) + 1 + strlen(domain->name) > RETURN_PATH_DOMAIN_MAX)
        return g_strdup(installation);
    return g_strdup_printf("%s.%s", label, domain->name);
}

/* As the server wants it: its mail is held, or not taken. */
static void suppress(DispatchVerdict *verdict, const EdgeCredential *credential, const char *reason)
{
    if (!credential->refuse_suppressed) {
        hold(verdict, HOLD_SUPPRESSED, credential->shadow);
        *(credential->shadow ? &verdict->would_hold : &verdict->hold) = reason;
    } else {
        *(credential->shadow ? &verdict->would_refuse : &verdict->refuse) = reason;
    }
}

DispatchVerdict dispatch_decide(const DispatchFacts *facts)
{
    DispatchVerdict verdict = {.lane = lane_pick(facts->id, facts->lanes)};

    if (facts->credential->server_suspended || facts->credential->organization_suspended)
        hold(&verdict, HOLD_SUSPENDED, FALSE);
    else if (facts->credential->hold)
        hold(&verdict, HOLD_CREDENTIAL, facts->credential->shadow);
    else if (facts->suppressed)
        suppress(&verdict, facts->credential, facts->suppressed);
    else if (facts->credential->development)
        hold(&verdict, HOLD_DEVELOPMENT, facts->credential->shadow);
    if (facts->domain && facts->domain_has_keys &&
        is_below(facts->from_domain, facts->domain->name))
        verdict.sign_domain = facts->domain->id;
    if (verdict.lane == 0 && facts->lanes->len)
        verdict.lane_note = "no address of the pool takes mail on this node: default transport";
    return verdict;
}

char *dispatch_tag(const GPtrArray *fields)
{
    for (guint i = fields->len; i-- > 0;) {
        const MimeField *field = fields->pdata[i];
        if (g_ascii_strcasecmp(field->name, OWN_TAG) == 0 ||
            g_ascii_strcasecmp(field->name, POSTAL_TAG) == 0)
            return mime_field_decoded(field->value, DISPATCH_TAG_MAX);
    }
    return NULL;
}

static gboolean is_strange(const char *name)
{
    return g_ascii_strcasecmp(name, TRACK_SKIP) == 0 ||
           (g_ascii_strncasecmp(name, OWN_PREFIX, strlen(OWN_PREFIX)) == 0 &&
            g_ascii_strcasecmp(name, OWN_TAG) != 0);
}

static gboolean is_strange_to_postal(const char *name)
{
    return g_ascii_strcasecmp(name, DISPATCH_POSTAL_ID) == 0 || is_strange(name);
}

static guint nth_at(const GPtrArray *fields, guint index)
{
    const MimeField *wanted = fields->pdata[index];
    guint nth = 0;

    for (guint i = 0; i <= index; i++) {
        const MimeField *field = fields->pdata[i];
        nth += g_ascii_strcasecmp(field->name, wanted->name) == 0;
    }
    return nth;
}

static void fold_long(GPtrArray *edits, GPtrArray *fields, const char **reason)
{
    for (guint i = 0; i < fields->len; i++) {
        const MimeField *field = fields->pdata[i];
        gboolean too_long = FALSE;
        g_autofree char *folded = mime_field_fold(field->name, field->value, &too_long);
        if (folded)
            edit_change(edits, fields, field->name, nth_at(fields, i), folded);
        if (too_long)
            *reason = "long header line without white space";
    }
}

/* Verifiers do not agree on what a vertical tab and a form feed are (RFC 6376 section 2.8 knows blank and tab), so no
 * signature could be right for all of them. */
static void plain_blanks(GPtrArray *edits, GPtrArray *fields)
{
    for (guint i = 0; i < fields->len; i++) {
        const MimeField *field = fields->pdata[i];
        if (!strpbrk(field->value, ODD_BLANKS) || field_rules_covering(field->name) == 0)
            continue;
        g_autofree char *value = g_strdelimit(g_strdup(field->value), ODD_BLANKS, ' ');
        edit_change(edits, fields, field->name, nth_at(fields, i), value);
    }
}

static void append_when_missing(GPtrArray *edits, GPtrArray *fields, const char *name,
                                const char *text)
{
    g_autofree char *value = g_strconcat(" ", text, NULL);

    if (mime_fields_count(fields, name) == 0)
        edit_append(edits, fields, name, value);
}

static void put_on_top(GPtrArray *edits, GPtrArray *fields, const char *name, const char *text)
{
    g_autofree char *value = g_strconcat(" ", text, NULL);

    edit_insert(edits, fields, name, value);
}

static void declare_encoding(GPtrArray *edits, GPtrArray *fields, const char *encoding)
{
    static const char name[] = "Content-Transfer-Encoding";
    g_autofree char *value = g_strconcat(" ", encoding, NULL);

    append_when_missing(edits, fields, "MIME-Version", "1.0");
    if (mime_fields_count(fields, name))
        edit_change(edits, fields, name, 1, value);
    else
        edit_append(edits, fields, name, value);
}

/* Without a form that we know, the field goes. */
static void hide_client(GPtrArray *edits, GPtrArray *fields)
{
    static const char name[] = "Received";
    const char *value = mime_fields_nth(fields, name, 1);
    g_autofree char *hidden = value ? mime_received_without_client(value) : NULL;

    if (hidden)
        edit_change(edits, fields, name, 1, hidden);
    else if (value)
        edit_remove(edits, fields, name, 1);
}

char *dispatch_feedback(const char *tag, const EdgeCredential *credential, const char *sender)
{
    const char *const parts[] = {tag ? tag : "none", credential->server_permalink,
                                 credential->organization_permalink, sender};
    GString *value = g_string_new(NULL);

    if (!*sender) {
        g_string_free(value, TRUE);
        return NULL;
    }
    for (guint i = 0; i < G_N_ELEMENTS(parts); i++) {
        g_autofree char *part = g_strndup(parts[i], FEEDBACK_PART_MAX);
        g_strcanon(part, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-", '_');
        g_string_append_printf(value, "%s%s", i > 0 ? ":" : "", part);
    }
    return g_string_free(value, FALSE);
}

GPtrArray *dispatch_edits(GPtrArray *fields, const MimeWireSafe *safe, const DispatchStamp *stamp,
                          const char **reason)
{
    GPtrArray *edits = edits_new();
    g_autofree char *date = mime_date(stamp->now);
    g_autofree char *message_id =
        g_strdup_printf("<%" G_GUINT64_FORMAT ".%s@%s>", stamp->id, stamp->token, stamp->hostname);

    edit_remove_those(edits, fields, stamp->postal ? is_strange_to_postal : is_strange);
    if (stamp->hide_client)
        hide_client(edits, fields);
    plain_blanks(edits, fields);
    fold_long(edits, fields, reason);
    if (safe->encoding)
        declare_encoding(edits, fields, safe->encoding);
    append_when_missing(edits, fields, "Date", date);
    append_when_missing(edits, fields, "Message-ID", message_id);
    if (stamp->feedback)
        append_when_missing(edits, fields, "Feedback-ID", stamp->feedback);
    if (stamp->postal)
        put_on_top(edits, fields, DISPATCH_POSTAL_ID, stamp->token);
    put_on_top(edits, fields, MSGID_FIELD, stamp->msgid);
    return edits;
}

/* Fields between programs of ours. The rest of that name somebody may have signed; of X-Outrider-MsgID the topmost counts. */
static gboolean is_internal(const char *name)
{
    static const char *const names[] = {CLAIM_FIELD, DISPATCH_STAGE_HEADER, DISPATCH_LANE_HEADER};

    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        if (g_ascii_strcasecmp(name, names[i]) == 0)
            return TRUE;
    return FALSE;
}

GPtrArray *dispatch_arrival_edits(GPtrArray *fields, const char *msgid)
{
    GPtrArray *edits = edits_new();

    edit_remove_those(edits, fields, is_internal);
    put_on_top(edits, fields, MSGID_FIELD, msgid);
    return edits;
}
