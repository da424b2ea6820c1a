/* SPDX-License-Identifier: MIT */
/*
 * Postfix's log lines. What a remote host says stands only inside the last parentheses, so a line is
 * read from the left, field by field, and nothing is searched for behind the status.
 *
 *     STAMP HOST PROGRAM[PID]: QUEUE-ID: to=<A>, [orig_to=<B>,] relay=R, [conn_use=N,] delay=D,
 *         delays=..., dsn=X.Y.Z, status=WORD (TEXT)
 */
#include "worker/mail_line.h"

#include <string.h>

#include "worker/mail_stamp.h"

#define SHORT_ID_LEAST 6
#define LONG_ID_LEAST  12
#define LANE_MAX       65535

/* Short ids are upper case hexadecimal; long ones are in base 52, which has no vowels. */
static gboolean is_queue_id(MailText text)
{
    static const char hex[] = "0123456789ABCDEF";
    static const char base52[] = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";
    gboolean is_short = text.length >= SHORT_ID_LEAST, is_long = text.length >= LONG_ID_LEAST;

    if (text.length > MAIL_QUEUE_ID_MAX)
        return FALSE;
    for (gsize i = 0; i < text.length && (is_short || is_long); i++) {
        char c = text.data[i];
        is_short = is_short && c && strchr(hex, c);
        is_long = is_long && c && strchr(base52, c);
    }
    return is_short || is_long;
}

/* The last part of the program's name. */
static MailText daemon_of(MailText program)
{
    gssize slash = mail_text_find_last(program, "/");
    return mail_text_skip(program, (gsize)(slash + 1));
}

/* "from=<" address ">" rest: the address may hold anything, so the mark after it is searched for
 * from the right. */
static gboolean take_sender(MailText text, const char *mark, MailText *from, MailText *rest)
{
    gssize end = mail_text_find_last(text, mark);

    if (!mail_text_starts(text, "from=<") || end < 6)
        return FALSE;
    *from = mail_text_of(text.data + 6, (gsize)end - 6);
    *rest = mail_text_skip(text, (gsize)end);
    return TRUE;
}

static void parse_qmgr(MailText text, MailLine *line)
{
    MailText rest;

    if (mail_text_is(text, "removed")) {
        line->kind = MAIL_LINE_REMOVED;
    } else if (mail_text_ends(text, "(queue active)") &&
               take_sender(text, ">, size=", &line->from, &rest)) {
        line->kind = MAIL_LINE_QUEUED;
    } else if (take_sender(text, ">, status=", &line->from, &rest)) {
        MailText word = mail_text_skip(rest, strlen(">, status="));
        if (!mail_text_starts(word, "expired") && !mail_text_starts(word, "force-expired"))
            return;
        line->kind = MAIL_LINE_EXPIRED;
        line->status = MAIL_STATUS_EXPIRED;
        line->text = word;
    }
}

static MailStatus status_of(MailText word)
{
    static const struct {
        const char *word;
        MailStatus status;
    } words[] = {
        {"sent", MAIL_STATUS_SENT},       {"deferred", MAIL_STATUS_DEFERRED},
        {"bounced", MAIL_STATUS_BOUNCED}, {"SOFTBOUNCE", MAIL_STATUS_DEFERRED},
        {"expired", MAIL_STATUS_EXPIRED}, {"force-expired", MAIL_STATUS_EXPIRED},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
        if (mail_text_is(word, words[i].word))
            return words[i].status;
    return MAIL_STATUS_OTHER;
}

/* Three digits of 2xx to 5xx that stand alone. */
static guint reply_code(MailText text)
{
    gsize used;
    guint code = mail_text_number(text, &used);

    if (used != 3 || code < 200 || code > 599)
        return 0;
    return text.length == 3 || text.data[3] == ' ' || text.data[3] == '-' ? code : 0;
}

/* "250 2.0.0 Ok", "host mx[ip] said: 550 ...", "host mx[ip] refused to talk to me: 554 ...". */
static guint remote_code(MailText text)
{
    static const char *const marks[] = {" said: ", " refused to talk to me: "};

    if (!mail_text_starts(text, "host "))
        return reply_code(text);
    for (gsize i = 0; i < G_N_ELEMENTS(marks); i++) {
        gssize at = mail_text_find(text, marks[i]);
        if (at >= 0)
            return reply_code(mail_text_skip(text, (gsize)at + strlen(marks[i])));
    }
    return 0;
}

/* What follows "status=". */
static void parse_status(MailText text, MailLine *line)
{
    gssize space = mail_text_find(text, " (");

    if (space < 0) {
        line->status = status_of(text);
        return;
    }
    line->status = status_of(mail_text_of(text.data, (gsize)space));
    line->text = mail_text_skip(text, (gsize)space + 2);
    if (mail_text_ends(line->text, ")"))
        line->text.length--;
    line->code = remote_code(line->text);
}

static void take_field(MailText key, MailText value, MailLine *line)
{
    if (mail_text_is(key, "relay"))
        line->relay = value;
    else if (mail_text_is(key, "conn_use"))
        line->connections = mail_text_number(value, NULL);
    else if (mail_text_is(key, "delay"))
        line->delay_ms = mail_text_milliseconds(value);
    else if (mail_text_is(key, "dsn"))
        line->dsn = value;
}

/* The octets of a quoted local part at the start, which may be anything; 0: it has none. */
static gsize quoted_length(MailText text)
{
    if (!mail_text_starts(text, "\""))
        return 0;
    for (gsize i = 1; i < text.length; i++)
        if (text.data[i] == '\\')
            i++;
        else if (text.data[i] == '"')
            return i + 1;
    return 0;
}

/* An address up to the mark that follows it; moves *text to behind the mark. */
static gboolean take_address(MailText *text, const char *mark, MailText *address)
{
    gsize quoted = quoted_length(*text);
    gssize end = mail_text_find(mail_text_skip(*text, quoted), mark);

    if (end < 0)
        return FALSE;
    *address = mail_text_of(text->data, quoted + (gsize)end);
    *text = mail_text_skip(*text, quoted + (gsize)end + strlen(mark));
    return TRUE;
}

/* "to=<" address ">, " and "orig_to=<" address ">, ", up to "relay=". */
static gboolean take_recipients(MailText *text, MailLine *line)
{
    MailText with = mail_text_skip(*text, strlen("to=<")), without = with, to;

    if (!take_address(&without, ">, relay=", &line->to))
        return FALSE;
    if (take_address(&with, ">, orig_to=<", &to) && to.length < line->to.length) {
        line->to = to;
        if (!take_address(&with, ">, relay=", &line->original))
            return FALSE;
        without = with;
    }
    /* The mark's last word is the next field's name. */
    *text = mail_text_of(without.data - strlen("relay="), without.length + strlen("relay="));
    return TRUE;
}

static void parse_delivery(MailText text, MailLine *line)
{
    MailLine found = *line;

    if (!take_recipients(&text, &found))
        return;
    while (!mail_text_starts(text, "status=")) {
        gssize comma = mail_text_find(text, ", ");
        gssize equals = mail_text_find(text, "=");
        if (comma < 0 || equals < 0 || equals > comma)
            return;
        take_field(mail_text_of(text.data, (gsize)equals),
                   mail_text_of(text.data + equals + 1, (gsize)(comma - equals - 1)), &found);
        text = mail_text_skip(text, (gsize)comma + 2);
    }
    parse_status(mail_text_skip(text, strlen("status=")), &found);
    found.kind = MAIL_LINE_DELIVERY;
    *line = found;
}

/* "milter-hold: END-OF-MESSAGE from host: milter triggers HOLD action; from=<A> to=<B> proto=..." */
static void parse_hold(MailText text, MailLine *line)
{
    gssize from = mail_text_find(text, "; from=<");

    if (from < 0)
        return;
    text = mail_text_skip(text, (gsize)from + strlen("; from=<"));
    gssize end = mail_text_find(text, "> to=<");
    if (end < 0)
        return;
    line->kind = MAIL_LINE_HELD;
    line->from = mail_text_of(text.data, (gsize)end);
}

/* "uid=103 from=<A> orig_id=OLD" */
static void parse_pickup(MailText text, MailLine *line)
{
    gssize from = mail_text_find(text, " from=<");
    gssize parent = mail_text_find_last(text, "> orig_id=");

    if (!mail_text_starts(text, "uid=") || from < 0 || parent < from + 7)
        return;
    MailText id = mail_text_skip(text, (gsize)parent + strlen("> orig_id="));
    if (!is_queue_id(id))
        return;
    line->kind = MAIL_LINE_REQUEUED;
    line->from = mail_text_of(text.data + from + 7, (gsize)(parent - from - 7));
    line->parent = id;
}

static void parse_postsuper(MailText text, MailLine *line)
{
    if (mail_text_is(text, "placed on hold"))
        line->kind = MAIL_LINE_PLACED;
    else if (mail_text_is(text, "released from hold"))
        line->kind = MAIL_LINE_RELEASED;
    else if (mail_text_is(text, "removed"))
        line->kind = MAIL_LINE_DELETED;
}

/* "TLSv1.3 with cipher X (256/256 bits) key-exchange ..." without what follows the bits. */
static MailText tls_summary(MailText text)
{
    gssize bits = mail_text_find(text, " bits)");
    return bits < 0 ? text : mail_text_of(text.data, (gsize)bits + strlen(" bits)"));
}

/* "Untrusted TLS connection established to mx[ip]:25: TLSv1.3 with cipher ..." */
static void parse_tls(MailText text, MailLine *line)
{
    static const char mark[] = " TLS connection established to ";
    gssize at = mail_text_find(text, mark);

    if (at < 0 || memchr(text.data, ' ', (gsize)at))
        return;
    text = mail_text_skip(text, (gsize)at + strlen(mark));
    gssize colon = mail_text_find(text, ": ");
    if (colon < 1)
        return;
    line->kind = MAIL_LINE_TLS;
    line->relay = mail_text_of(text.data, (gsize)colon);
    line->text = tls_summary(mail_text_skip(text, (gsize)colon + 2));
}

static void parse_record(MailLine *line)
{
    MailText daemon = daemon_of(line->program);
    gssize colon = mail_text_find(line->record, ": ");

    if (colon < 0 || !is_queue_id(mail_text_of(line->record.data, (gsize)colon))) {
        if (mail_text_is(daemon, "smtp") || mail_text_is(daemon, "lmtp"))
            parse_tls(line->record, line);
        return;
    }
    line->queue_id = mail_text_of(line->record.data, (gsize)colon);
    MailText text = mail_text_skip(line->record, (gsize)colon + 2);
    if (mail_text_starts(text, "to=<"))
        parse_delivery(text, line);
    else if (mail_text_is(daemon, "qmgr") || mail_text_is(daemon, "oqmgr") ||
             mail_text_is(daemon, "nqmgr"))
        parse_qmgr(text, line);
    else if (mail_text_is(daemon, "cleanup") || mail_text_ends(daemon, "cleanup"))
        mail_text_starts(text, "milter-hold: ") ? parse_hold(text, line) : (void)0;
    else if (mail_text_is(daemon, "pickup"))
        parse_pickup(text, line);
    else if (mail_text_is(daemon, "postsuper"))
        parse_postsuper(text, line);
}

static gboolean has_tag(MailText program, const char *tag)
{
    gsize n = strlen(tag);
    return mail_text_starts(program, tag) && program.length > n && program.data[n] == '/';
}

gboolean mail_line_parse_parts(MailText stamp, gint64 at_us, MailText program, guint32 pid,
                               MailText message, const char *tag, MailLine *out)
{
    MailLine line = {
        .at_us = at_us, .stamp = stamp, .program = program, .pid = pid, .record = message};

    if (!has_tag(program, tag) || message.length == 0 || message.length > MAIL_LINE_MAX ||
        memchr(message.data, '\0', message.length))
        return FALSE;
    parse_record(&line);
    *out = line;
    return TRUE;
}

/* Takes "PROGRAM[PID]: " or "PROGRAM: " off text. */
static gboolean take_program(MailText *text, MailText *program, guint32 *pid)
{
    gssize colon = mail_text_find(*text, ": ");
    gssize bracket = mail_text_find(*text, "[");

    if (colon < 1)
        return FALSE;
    *pid = 0;
    *program = mail_text_of(text->data, (gsize)colon);
    if (bracket > 0 && bracket < colon) {
        gsize used;
        MailText rest = mail_text_skip(*text, (gsize)bracket + 1);
        *pid = mail_text_number(rest, &used);
        if (used == 0 || !mail_text_starts(mail_text_skip(rest, used), "]: "))
            return FALSE;
        program->length = (gsize)bracket;
    }
    *text = mail_text_skip(*text, (gsize)colon + 2);
    return !memchr(program->data, ' ', program->length);
}

gboolean mail_line_parse(const char *data, gsize length, const char *tag, gint64 now, MailLine *out)
{
    MailText text = mail_text_of(data, length);
    MailText program;
    guint32 pid;
    gint64 at_us;

    if (length > MAIL_LINE_MAX)
        return FALSE;
    gsize used = mail_stamp_parse(data, length, now, &at_us);
    if (used == 0)
        return FALSE;
    MailText stamp = mail_text_of(data, used);
    text = mail_text_skip(text, used);
    if (!mail_text_starts(text, " "))
        return FALSE;
    text = mail_text_skip(text, 1);
    gssize space = mail_text_find(text, " "); /* ends the host */
    if (space < 1)
        return FALSE;
    text = mail_text_skip(text, (gsize)space + 1);
    if (!take_program(&text, &program, &pid))
        return FALSE;
    return mail_line_parse_parts(stamp, at_us, program, pid, text, tag, out);
}

guint32 mail_line_lane(const MailLine *line)
{
    static const char mark[] = "/outrider-ip";
    gssize at = mail_text_find(line->program, mark);
    gsize used;

    if (at < 0)
        return 0;
    MailText rest = mail_text_skip(line->program, (gsize)at + strlen(mark));
    guint lane = mail_text_number(rest, &used);
    rest = mail_text_skip(rest, used);
    return used > 0 && lane <= LANE_MAX && mail_text_starts(rest, "/") ? lane : 0;
}

gboolean mail_line_is_hop(const MailLine *line)
{
    return mail_text_find(line->program, "/outrider-split/") >= 0;
}

gboolean mail_line_is_discard(const MailLine *line)
{
    return mail_text_find(line->program, "/discard") >= 0;
}

gboolean mail_line_relay_is_ipv6(const MailLine *line)
{
    gssize bracket = mail_text_find_last(line->relay, "[");

    return bracket >= 0 && mail_text_find(mail_text_skip(line->relay, (gsize)bracket), ":") >= 0 &&
           mail_text_find(mail_text_skip(line->relay, (gsize)bracket), ":") <
               mail_text_find(mail_text_skip(line->relay, (gsize)bracket), "]");
}
