/* SPDX-License-Identifier: MIT */
#include "milters/effect.h"

#include "lib/base/error.h"
#include "lib/journal/held.h"
#include "lib/log/log.h"
#include "lib/mime/field.h"
#include "lib/store/store.h"
#include "milters/edit.h"

#define BODY_CHUNK 65535

static gboolean refused(GError **error, const char *what)
{
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE, "Postfix did not take %s", what);
    return FALSE;
}

static gboolean send_edit(SMFICTX *context, const Edit *edit)
{
    switch (edit->kind) {
    case EDIT_INSERT:
        return smfi_insheader(context, 1, edit->name, edit->value) == MI_SUCCESS;
    case EDIT_APPEND:
        return smfi_addheader(context, edit->name, edit->value) == MI_SUCCESS;
    default:
        return smfi_chgheader(context, edit->name, (int)edit->nth, edit->value) == MI_SUCCESS;
    }
}

/* What no sender names: a header that only milter_header_checks sees, gone again at once, sets the transport. */
gboolean effect_way(SMFICTX *context, const char *way, GError **error)
{
    char name[] = DISPATCH_LANE_HEADER;
    g_autofree char *value = g_strconcat(" ", way, NULL);

    return (smfi_addheader(context, name, value) == MI_SUCCESS &&
            smfi_chgheader(context, name, 1, NULL) == MI_SUCCESS) ||
           refused(error, "the transport");
}

static gboolean send_body(SMFICTX *context, GString *body)
{
    for (gsize at = 0; at < body->len; at += BODY_CHUNK)
        if (smfi_replacebody(context, (unsigned char *)body->str + at,
                             (int)MIN(BODY_CHUNK, body->len - at)) != MI_SUCCESS)
            return FALSE;
    return TRUE;
}

gboolean effect_header(SMFICTX *context, const GPtrArray *edits, GError **error)
{
    for (guint i = 0; i < edits->len; i++)
        if (!send_edit(context, edits->pdata[i]))
            return refused(error, "a header change");
    return TRUE;
}

gboolean effect_sender(SMFICTX *context, const char *address, GError **error)
{
    g_autofree char *owned = g_strdup_printf("<%s>", address);

    return smfi_chgfrom(context, owned, NULL) == MI_SUCCESS || refused(error, "the return path");
}

gboolean effect_recipients(SMFICTX *context, const Message *message, const GPtrArray *to,
                           GError **error)
{
    for (guint i = 0; i < message->rcpts->len; i++) {
        const Recipient *recipient = message->rcpts->pdata[i];
        if (smfi_delrcpt(context, recipient->given) != MI_SUCCESS)
            return refused(error, "the end of a recipient");
    }
    for (guint i = 0; i < to->len; i++) {
        g_autofree char *new = message_argument(to->pdata[i]);
        if (smfi_addrcpt(context, new) != MI_SUCCESS)
            return refused(error, "a recipient");
    }
    return TRUE;
}

gboolean effect_recipient(SMFICTX *context, const Message *message, char *to, GError **error)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new();

    g_ptr_array_add(list, to);
    return effect_recipients(context, message, list, error);
}

/* Names the rule and the message: who looks after Postfix's hold queue knows where to ask. */
static gboolean send_hold(SMFICTX *context, const Outgoing *outgoing)
{
    g_autofree char *text =
        g_strdup_printf("%s: %s (outrider explain %" G_GUINT64_FORMAT ")",
                        outgoing->verdict.hold_rule, outgoing->verdict.hold, outgoing->id);

    return smfi_quarantine(context, text) == MI_SUCCESS;
}

static gboolean send_all(SMFICTX *context, const Message *message, const Outgoing *outgoing,
                         GError **error)
{
    if (!effect_header(context, outgoing->edits, error))
        return FALSE;
    if (outgoing->body_changed && !send_body(context, message->body))
        return refused(error, "the body");
    if (outgoing->sender && !effect_sender(context, outgoing->sender, error))
        return FALSE;
    if (outgoing->to && !effect_recipient(context, message, outgoing->to, error))
        return FALSE;
    if (outgoing->way && !effect_way(context, outgoing->way, error))
        return FALSE;
    if (outgoing->verdict.hold && !send_hold(context, outgoing))
        return refused(error, "the hold");
    return TRUE;
}

/* "Name:value" with CRLF for the LF that libmilter has inside of values. */
static void append_field(GString *out, const MimeField *field)
{
    g_string_append(out, field->name);
    g_string_append_c(out, ':');
    for (const char *p = field->value; *p; p++) {
        if (*p == '\n' && (p == field->value || p[-1] != '\r'))
            g_string_append_c(out, '\r');
        g_string_append_c(out, *p);
    }
    g_string_append(out, "\r\n");
}

/* Stores the octets; *size receives how many, *path where. */
static gboolean store(Shared *shared, const Message *message, const StoreHeader *header,
                      gboolean came_in, char **path, gsize *size, GError **error)
{
    g_autoptr(GString) head = g_string_sized_new(message->header_size + 4096);
    g_autoptr(StoreWriter) writer =
        store_writer_open(config_string(shared_config(shared), CONFIG_SPOOL_DIR), header, error);

    if (came_in)
        g_string_append_printf(head, EFFECT_STORED_SENDER "<%s>\r\n", message->mail_from);
    for (guint i = 0; i < message->fields->len; i++)
        append_field(head, message->fields->pdata[i]);
    g_string_append(head, "\r\n");
    *size = head->len + message->body->len;
    return writer && store_writer_add(writer, head->str, head->len, error) &&
           store_writer_add(writer, message->body->str, message->body->len, error) &&
           store_writer_commit(g_steal_pointer(&writer), path, error);
}

gboolean effect_store(Shared *shared, const Message *message, guint64 id, guint32 server,
                      GError **error)
{
    const StoreHeader header = {.id = id, .server = server};
    g_autofree char *path = NULL;
    gsize size;

    return store(shared, message, &header, TRUE, &path, &size, error);
}

static gboolean journal(Shared *shared, const EventSubject *subject, const EventAccepted *accepted,
                        const JournalHeld *hold, GError **error)
{
    g_autofree char *admitted = accepted->hop ? NULL : event_admitted(subject, FALSE);
    g_autofree char *taken = event_accepted(subject, accepted);
    g_autofree char *held = hold->reason ? journal_held_json(hold) : NULL;
    JournalEntry entries[3];
    guint n = 0;

    if (admitted)
        entries[n++] = (JournalEntry){EVENT_SUBMISSION_ADMITTED, subject->at_us, admitted, -1};
    entries[n++] = (JournalEntry){EVENT_MESSAGE_ACCEPTED, subject->at_us, taken, -1};
    if (held)
        entries[n++] = (JournalEntry){EVENT_MESSAGE_HELD, subject->at_us, held, -1};
    return journal_append(shared_journal(shared), entries, n, error);
}

gboolean effect_message(SMFICTX *context, Shared *shared, const EventSubject *who,
                        const Outgoing *outgoing, GError **error)
{
    const Config *config = shared_config(shared);
    EventSubject subject = *who;
    StoreHeader header = {.id = outgoing->id, .server = subject.server};
    g_autofree char *path = NULL;
    const JournalHeld hold = {.node = subject.node,
                              .at_us = subject.at_us,
                              .expires_us = subject.at_us +
                                            config_int(config, CONFIG_HOLD_DAYS) * G_TIME_SPAN_DAY,
                              .id = outgoing->id,
                              .server = subject.server,
                              .rule = outgoing->verdict.hold_rule,
                              .reason = outgoing->verdict.hold};
    gsize size;

    if (!send_all(context, subject.message, outgoing, error) ||
        !store(shared, subject.message, &header, outgoing->origin.route != 0, &path, &size, error))
        return FALSE;
    subject.id = outgoing->id;
    EventAccepted accepted = {.base = outgoing->reserved.base,
                              .hop = outgoing->reserved.hop,
                              .token = outgoing->token,
                              .return_path = outgoing->return_path,
                              .from = outgoing->from,
                              .tag = outgoing->tag,
                              .store = path,
                              .domain = outgoing->domain,
                              .lane = outgoing->verdict.lane,
                              .size = size,
                              .skipped = outgoing->skipped,
                              .tracked = &outgoing->tracked,
                              .labels = outgoing->labels,
                              .origin = outgoing->origin,
                              .to = outgoing->to};
    if (!journal(shared, &subject, &accepted, &hold, error)) {
        /* Of a retry the file may belong to a copy that was taken before. */
        if (!outgoing->reserved.again)
            store_remove(config_string(config, CONFIG_SPOOL_DIR), outgoing->id, NULL);
        return FALSE;
    }
    log_info(subject.queue_id, "message accepted", LOG_ID("id", outgoing->id),
             LOG_INT("server", subject.server), LOG_INT("lane", outgoing->verdict.lane),
             LOG_TEXT("rcpt", message_rcpt(subject.message)), LOG_TEXT("way", outgoing->way),
             LOG_TEXT("hold", outgoing->verdict.hold));
    if (outgoing->tracked.failed)
        log_warning(subject.queue_id, "message not tracked", LOG_ID("id", outgoing->id),
                    LOG_TEXT("why", outgoing->tracked.note));
    return TRUE;
}
