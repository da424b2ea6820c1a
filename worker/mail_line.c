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

static MailText slice(const char *data, gsize length)
{
    return (MailText){.data = data, .length = length};
}

static MailText skip(MailText text, gsize n)
{
    return slice(text.data + n, text.length - n);
}

static gboolean starts(MailText text, const char *with)
{
    gsize n = strlen(with);
    return text.length >= n && memcmp(text.data, with, n) == 0;
}

static gboolean ends(MailText text, const char *with)
{
    gsize n = strlen(with);
    return text.length >= n && memcmp(text.data + text.length - n, with, n) == 0;
}

static gboolean is(MailText text, const char *word)
{
    return text.length == strlen(word) && starts(text, word);
}

/* Offset of the first occurrence, or -1. */
static gssize find(MailText text, const char *what)
{
    const char *at = text.length ? memmem(text.data, text.length, what, strlen(what)) : NULL;
    return at ? at - text.data : -1;
}

/* Offset of the last occurrence, or -1. */
static gssize find_last(MailText text, const char *what)
{
    gsize n = strlen(what);

    for (gsize i = text.length >= n ? text.length - n + 1 : 0; i-- > 0;)
        if (memcmp(text.data + i, what, n) == 0)
            return (gssize)i;
    return -1;
}

/* At most nine digits from the start. */
static guint number(MailText text, gsize *used)
{
    guint value = 0;
    gsize i = 0;

    while (i < text.length && i < 9 && g_ascii_isdigit(text.data[i]))
        value = value * 10 + (guint)(text.data[i++] - '0');
    if (used)
        *used = i;
    return value;
}

/* "12.034" seconds in milliseconds. */
static guint64 milliseconds(MailText text)
{
    gsize used;
    guint64 value = (guint64)number(text, &used) * 1000;
    guint unit = 100;

    text = skip(text, used);
    if (starts(text, "."))
        for (gsize i = 1; i < text.length && g_ascii_isdigit(text.data[i]) && unit > 0; i++) {
            value += (guint64)(text.data[i] - '0') * unit;
            unit /= 10;
        }
    return value;
}

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
    gssize slash = find_last(program, "/");
    return skip(program, (gsize)(slash + 1));
}

/* "from=<" address ">" rest: the address may hold anything, so the mark after it is searched for
 * from the right. */
static gboolean take_sender(MailText text, const char *mark, MailText *from, MailText *rest)
{
    gssize end = find_last(text, mark);

    if (!starts(text, "from=<") || end < 6)
        return FALSE;
    *from = slice(text.data + 6, (gsize)end - 6);
    *rest = skip(text, (gsize)end);
    return TRUE;
}

static void parse_qmgr(MailText text, MailLine *line)
{
    MailText rest;

    if (is(text, "removed")) {
        line->kind = MAIL_LINE_REMOVED;
    } else if (ends(text, "(queue active)") && take_sender(text, ">, size=", &line->from, &rest)) {
        line->kind = MAIL_LINE_QUEUED;
    } else if (take_sender(text, ">, status=", &line->from, &rest)) {
        MailText word = skip(rest, strlen(">, status="));
        if (!starts(word, "expired") && !starts(word, "force-expired"))
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
        if (is(word, words[i].word))
            return words[i].status;
    return MAIL_STATUS_OTHER;
}

/* Three digits of 2xx to 5xx that stand alone. */
static guint reply_code(MailText text)
{
    gsize used;
    guint code = number(text, &used);

    if (used != 3 || code < 200 || code > 599)
        return 0;
    return text.length == 3 || text.data[3] == ' ' || text.data[3] == '-' ? code : 0;
}

/* "250 2.0.0 Ok", "host mx[ip] said: 550 ...", "host mx[ip] refused to talk to me: 554 ...". */
static guint remote_code(MailText text)
{
    static const char *const marks[] = {" said: ", " refused to talk to me: "};

    if (!starts(text, "host "))
        return reply_code(text);
    for (gsize i = 0; i < G_N_ELEMENTS(marks); i++) {
        gssize at = find(text, marks[i]);
        if (at >= 0)
            return reply_code(skip(text, (gsize)at + strlen(marks[i])));
    }
    return 0;
}

/* What follows "status=". */
static void parse_status(MailText text, MailLine *line)
{
    gssize space = find(text, " (");

    if (space < 0) {
        line->status = status_of(text);
        return;
    }
    line->status = status_of(slice(text.data, (gsize)space));
    line->text = skip(text, (gsize)space + 2);
    if (ends(line->text, ")"))
        line->text.length--;
    line->code = remote_code(line->text);
}

static void take_field(MailText key, MailText value, MailLine *line)
{
    if (is(key, "relay"))
        line->relay = value;
    else if (is(key, "conn_use"))
        line->connections = number(value, NULL);
    else if (is(key, "delay"))
        line->delay_ms = milliseconds(value);
    else if (is(key, "dsn"))
        line->dsn = value;
}

/* The octets of a quoted local part at the start, which may be anything; 0: it has none. */
static gsize quoted_length(MailText text)
{
    if (!starts(text, "\""))
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
    gssize end = find(skip(*text, quoted), mark);

    if (end < 0)
        return FALSE;
    *address = slice(text->data, quoted + (gsize)end);
    *text = skip(*text, quoted + (gsize)end + strlen(mark));
    return TRUE;
}

/* "to=<" address ">, " and "orig_to=<" address ">, ", up to "relay=". */
static gboolean take_recipients(MailText *text, MailLine *line)
{
    MailText with = skip(*text, strlen("to=<")), without = with, to;

    if (!take_address(&without, ">, relay=", &line->to))
        return FALSE;
    if (take_address(&with, ">, orig_to=<", &to) && to.length < line->to.length) {
        line->to = to;
        if (!take_address(&with, ">, relay=", &line->original))
            return FALSE;
        without = with;
    }
    /* The mark's last word is the next field's name. */
    *text = slice(without.data - strlen("relay="), without.length + strlen("relay="));
    return TRUE;
}

static void parse_delivery(MailText text, MailLine *line)
{
    MailLine found = *line;

    if (!take_recipients(&text, &found))
        return;
    while (!starts(text, "status=")) {
        gssize comma = find(text, ", ");
        gssize equals = find(text, "=");
        if (comma < 0 || equals < 0 || equals > comma)
            return;
        take_field(slice(text.data, (gsize)equals),
                   slice(text.data + equals + 1, (gsize)(comma - equals - 1)), &found);
        text = skip(text, (gsize)comma + 2);
    }
    parse_status(skip(text, strlen("status=")), &found);
    found.kind = MAIL_LINE_DELIVERY;
    *line = found;
}

/* "milter-hold: END-OF-MESSAGE from host: milter triggers HOLD action; from=<A> to=<B> proto=..." */
static void parse_hold(MailText text, MailLine *line)
{
    gssize from = find(text, "; from=<");

    if (from < 0)
        return;
    text = skip(text, (gsize)from + strlen("; from=<"));
    gssize end = find(text, "> to=<");
    if (end < 0)
        return;
    line->kind = MAIL_LINE_HELD;
    line->from = slice(text.data, (gsize)end);
}

/* "uid=103 from=<A> orig_id=OLD" */
static void parse_pickup(MailText text, MailLine *line)
{
    gssize from = find(text, " from=<");
    gssize parent = find_last(text, "> orig_id=");

    if (!starts(text, "uid=") || from < 0 || parent < from + 7)
        return;
    MailText id = skip(text, (gsize)parent + strlen("> orig_id="));
    if (!is_queue_id(id))
        return;
    line->kind = MAIL_LINE_REQUEUED;
    line->from = slice(text.data + from + 7, (gsize)(parent - from - 7));
    line->parent = id;
}

static void parse_postsuper(MailText text, MailLine *line)
{
    if (is(text, "placed on hold"))
        line->kind = MAIL_LINE_PLACED;
    else if (is(text, "released from hold"))
        line->kind = MAIL_LINE_RELEASED;
    else if (is(text, "removed"))
        line->kind = MAIL_LINE_DELETED;
}

/* "TLSv1.3 with cipher X (256/256 bits) key-exchange ..." without what follows the bits. */
static MailText tls_summary(MailText text)
{
    gssize bits = find(text, " bits)");
    return bits < 0 ? text : slice(text.data, (gsize)bits + strlen(" bits)"));
}

/* "Untrusted TLS connection established to mx[ip]:25: TLSv1.3 with cipher ..." */
static void parse_tls(MailText text, MailLine *line)
{
    static const char mark[] = " TLS connection established to ";
    gssize at = find(text, mark);

    if (at < 0 || memchr(text.data, ' ', (gsize)at))
        return;
    text = skip(text, (gsize)at + strlen(mark));
    gssize colon = find(text, ": ");
    if (colon < 1)
        return;
    line->kind = MAIL_LINE_TLS;
    line->relay = slice(text.data, (gsize)colon);
    line->text = tls_summary(skip(text, (gsize)colon + 2));
}

static void parse_record(MailLine *line)
{
    MailText daemon = daemon_of(line->program);
    gssize colon = find(line->record, ": ");

    if (colon < 0 || !is_queue_id(slice(line->record.data, (gsize)colon))) {
        if (is(daemon, "smtp") || is(daemon, "lmtp"))
            parse_tls(line->record, line);
        return;
    }
    line->queue_id = slice(line->record.data, (gsize)colon);
    MailText text = skip(line->record, (gsize)colon + 2);
    if (starts(text, "to=<"))
        parse_delivery(text, line);
    else if (is(daemon, "qmgr") || is(daemon, "oqmgr") || is(daemon, "nqmgr"))
        parse_qmgr(text, line);
    else if (is(daemon, "cleanup") || ends(daemon, "cleanup"))
        starts(text, "milter-hold: ") ? parse_hold(text, line) : (void)0;
    else if (is(daemon, "pickup"))
        parse_pickup(text, line);
    else if (is(daemon, "postsuper"))
        parse_postsuper(text, line);
}

static gboolean has_tag(MailText program, const char *tag)
{
    gsize n = strlen(tag);
    return starts(program, tag) && program.length > n && program.data[n] == '/';
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
    gssize colon = find(*text, ": ");
    gssize bracket = find(*text, "[");

    if (colon < 1)
        return FALSE;
    *pid = 0;
    *program = slice(text->data, (gsize)colon);
    if (bracket > 0 && bracket < colon) {
        gsize used;
        MailText rest = skip(*text, (gsize)bracket + 1);
        *pid = number(rest, &used);
        if (used == 0 || !starts(skip(rest, used), "]: "))
            return FALSE;
        program->length = (gsize)bracket;
    }
    *text = skip(*text, (gsize)colon + 2);
    return !memchr(program->data, ' ', program->length);
}

gboolean mail_line_parse(const char *data, gsize length, const char *tag, gint64 now, MailLine *out)
{
    MailText text = slice(data, length);
    MailText program;
    guint32 pid;
    gint64 at_us;

    if (length > MAIL_LINE_MAX)
        return FALSE;
    gsize used = mail_stamp_parse(data, length, now, &at_us);
    if (used == 0)
        return FALSE;
    MailText stamp = slice(data, used);
    text = skip(text, used);
    if (!starts(text, " "))
        return FALSE;
    text = skip(text, 1);
    gssize space = find(text, " "); /* ends the host */
    if (space < 1)
        return FALSE;
    text = skip(text, (gsize)space + 1);
    if (!take_program(&text, &program, &pid))
        return FALSE;
    return mail_line_parse_parts(stamp, at_us, program, pid, text, tag, out);
}

guint32 mail_line_lane(const MailLine *line)
{
    static const char mark[] = "/outrider-ip";
    gssize at = find(line->program, mark);
    gsize used;

    if (at < 0)
        return 0;
    MailText rest = skip(line->program, (gsize)at + strlen(mark));
    guint lane = number(rest, &used);
    rest = skip(rest, used);
    return used > 0 && lane <= LANE_MAX && starts(rest, "/") ? lane : 0;
}

gboolean mail_line_is_hop(const MailLine *line)
{
    return find(line->program, "/outrider-split/") >= 0;
}

gboolean mail_line_is_discard(const MailLine *line)
{
    return find(line->program, "/discard") >= 0;
}

gboolean mail_line_relay_is_ipv6(const MailLine *line)
{
    gssize bracket = find_last(line->relay, "[");

    return bracket >= 0 && find(skip(line->relay, (gsize)bracket), ":") >= 0 &&
           find(skip(line->relay, (gsize)bracket), ":") <
               find(skip(line->relay, (gsize)bracket), "]");
}
