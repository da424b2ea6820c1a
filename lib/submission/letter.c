/* SPDX-License-Identifier: MIT */
#include "lib/submission/letter.h"

#include "lib/mime/compose.h"
#include "lib/mime/field.h"

void letter_free(Letter *letter)
{
    if (!letter)
        return;
    g_clear_pointer(&letter->to, g_ptr_array_unref);
    g_clear_pointer(&letter->cc, g_ptr_array_unref);
    g_clear_pointer(&letter->bcc, g_ptr_array_unref);
    g_free(letter->from);
    g_free(letter->sender);
    g_free(letter->subject);
    g_free(letter->reply_to);
    g_free(letter->text);
    g_free(letter->html);
    g_free(letter->tag);
    g_clear_pointer(&letter->headers, g_ptr_array_unref);
    g_clear_pointer(&letter->files, g_ptr_array_unref);
    g_free(letter);
}

gboolean letter_file_is_blank(const MimeFile *file)
{
    for (gsize i = 0; i < file->length; i++)
        if (!g_ascii_isspace((char)file->data[i]))
            return FALSE;
    return TRUE;
}

V1Error letter_error(const Letter *letter, V1Error lacking)
{
    const struct {
        gboolean applies;
        V1Error error;
    } checks[] = {
        {letter->to->len + letter->cc->len + letter->bcc->len == 0, V1_ERROR_NO_RECIPIENTS},
        {letter->to->len > LETTER_LIST_MAX, V1_ERROR_TOO_MANY_TO},
        {letter->cc->len > LETTER_LIST_MAX, V1_ERROR_TOO_MANY_CC},
        {letter->bcc->len > LETTER_LIST_MAX, V1_ERROR_TOO_MANY_BCC},
        {addressee_is_blank(letter->text) && addressee_is_blank(letter->html), V1_ERROR_NO_CONTENT},
        {addressee_is_blank(letter->from), V1_ERROR_FROM_MISSING},
    };

    for (guint i = 0; i < G_N_ELEMENTS(checks); i++)
        if (checks[i].applies)
            return checks[i].error;
    return lacking;
}

/* What becomes of a custom field: see letter_header.def. */
typedef enum { RULE_FREE, RULE_OWN, RULE_LIST, RULE_PLACED } Rule;

static Rule rule_of(const char *name)
{
    static const struct {
        const char *name;
        Rule rule;
    } rules[] = {
#define X(name, rule) {name, RULE_##rule},
#include "lib/submission/letter_header.def"
#undef X
    };

    for (guint i = 0; i < G_N_ELEMENTS(rules); i++)
        if (g_ascii_strcasecmp(rules[i].name, name) == 0)
            return rules[i].rule;
    return RULE_FREE;
}

gboolean letter_takes_header(const Letter *letter, const char *name)
{
    Rule rule = rule_of(name);
    const GPtrArray *list = g_ascii_strcasecmp(name, "To") == 0 ? letter->to : letter->cc;

    return rule == RULE_LIST ? list->len == 0 : rule != RULE_OWN;
}

static void add_text(GPtrArray *fields, const char *name, const char *text)
{
    g_autofree char *value = compose_text(name, text);

    mime_fields_add(fields, name, value);
}

/* The custom field of that name, at its place. */
static void add_custom(const Letter *letter, GPtrArray *fields, const char *name)
{
    const char *text = mime_fields_nth(letter->headers, name, 1);

    if (!text)
        return;
    g_autofree char *mailboxes =
        rule_of(name) == RULE_LIST ? compose_mailboxes(name, text, NULL) : NULL;
    if (mailboxes)
        mime_fields_add(fields, name, mailboxes);
    else
        add_text(fields, name, text);
}

static gboolean add_mailboxes(GPtrArray *fields, const char *name, const char *list)
{
    char *read = addressee_is_blank(list) ? NULL : compose_mailboxes(name, list, NULL);
    g_autoptr(Addressee) one = read || !list ? NULL : addressee_read(list);
    g_autofree char *value = one ? compose_mailboxes(name, one->mailbox, NULL) : read;

    if (value)
        mime_fields_add(fields, name, value);
    return value || addressee_is_blank(list);
}

/* The list, or, if it is empty, the custom field. FALSE: the addresses are none when they stand together. */
static gboolean add_list(const Letter *letter, GPtrArray *fields, const char *name,
                         const GPtrArray *list)
{
    g_autoptr(GString) joined = g_string_new(NULL);

    for (guint i = 0; i < list->len; i++) {
        const Addressee *address = list->pdata[i];
        g_string_append_printf(joined, "%s%s", i ? ", " : "", address->mailbox);
    }
    if (list->len > 0)
        return add_mailboxes(fields, name, joined->str);
    add_custom(letter, fields, name);
    return TRUE;
}

static void add_rest(const Letter *letter, GPtrArray *fields)
{
    for (guint i = 0; i < letter->headers->len; i++) {
        const MimeField *field = letter->headers->pdata[i];
        if (rule_of(field->name) == RULE_FREE)
            add_text(fields, field->name, field->value);
    }
}

/* In Postal's order. The name of the parameter that is no list of mailboxes; NULL: all are. */
static const char *add_fields(const Letter *letter, const LetterStamp *stamp, GPtrArray *fields)
{
    g_autofree char *message_id = g_strdup_printf(" <%s>", stamp->message_id);

    mime_fields_add(fields, "Received", stamp->received);
    if (mime_fields_count(letter->headers, "Date"))
        add_custom(letter, fields, "Date");
    else
        add_text(fields, "Date", stamp->date);
    if (!add_mailboxes(fields, "From", letter->from))
        return "from";
    if (!add_mailboxes(fields, "Sender", letter->sender))
        return "sender";
    if (!add_mailboxes(fields, "Reply-To", letter->reply_to))
        return "reply_to";
    if (!add_list(letter, fields, "To", letter->to))
        return "to";
    if (!add_list(letter, fields, "Cc", letter->cc))
        return "cc";
    mime_fields_add(fields, "Message-ID", message_id);
    add_custom(letter, fields, "In-Reply-To");
    add_custom(letter, fields, "References");
    if (letter->subject)
        add_text(fields, "Subject", letter->subject);
    return NULL;
}

static void add_recipients(Submission *submission, const GPtrArray *list)
{
    for (guint i = 0; i < list->len; i++) {
        const Addressee *address = list->pdata[i];
        submission_add(submission, address->written, address->address);
    }
}

Submission *letter_compose(const Letter *letter, const LetterStamp *stamp, V1Error *first,
                           char **text)
{
    g_autoptr(Submission) submission = submission_new();
    g_autoptr(Addressee) from = addressee_read(letter->from);
    const MimeContent content = {addressee_is_blank(letter->text) ? NULL : letter->text,
                                 addressee_is_blank(letter->html) ? NULL : letter->html,
                                 letter->files};
    const char *wrong = add_fields(letter, stamp, submission->fields);

    if (!from || g_strcmp0(wrong, "from") == 0) {
        *first = V1_ERROR_UNAUTHENTICATED_FROM;
        return NULL;
    }
    if (wrong) {
        *first = V1_ERROR_PARAMETER;
        *text =
            g_strdup_printf("`%s` must be an e-mail address, or several parted by commas", wrong);
        return NULL;
    }
    g_string_free(submission->body, TRUE);
    submission->body = mime_build(&content, submission->fields);
    add_rest(letter, submission->fields);
    add_recipients(submission, letter->to);
    add_recipients(submission, letter->cc);
    add_recipients(submission, letter->bcc);
    submission->mail_from = g_strdup(letter->bounce ? "" : from->address);
    submission->tag = addressee_is_blank(letter->tag) ? NULL : g_strdup(letter->tag);
    submission->message_id = g_strdup(stamp->message_id);
    return g_steal_pointer(&submission);
}
