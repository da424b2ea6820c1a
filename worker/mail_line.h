/* SPDX-License-Identifier: MIT */
/*
 * Purpose: one line of Postfix's log, taken apart: from octets to struct, without sockets or files.
 * Used by: the mail log reader, its tests and fuzz target.
 * May touch: nothing; the time zone, for stamps that carry none.
 * Threads: any.
 * Limits: a line of at most MAIL_LINE_MAX octets; what is longer or not from this Postfix is refused.
 *     Texts point into the line and live as long as it does.
 */
#pragma once

#include "worker/mail_text.h"

#define MAIL_LINE_MAX     16384
#define MAIL_QUEUE_ID_MAX 32

typedef enum {
    MAIL_LINE_OTHER,    /* from Postfix, of no interest */
    MAIL_LINE_QUEUED,   /* qmgr: from=<>, size=, nrcpt= (queue active) */
    MAIL_LINE_HELD,     /* cleanup: milter-hold: from=<> */
    MAIL_LINE_DELIVERY, /* to=<>, relay=, status= () */
    MAIL_LINE_EXPIRED,  /* qmgr: from=<>, status=expired, returned to sender */
    MAIL_LINE_REMOVED,  /* qmgr: removed */
    MAIL_LINE_PLACED,   /* postsuper: placed on hold */
    MAIL_LINE_RELEASED, /* postsuper: released from hold */
    MAIL_LINE_DELETED,  /* postsuper: removed */
    MAIL_LINE_REQUEUED, /* pickup: uid= from=<> orig_id= */
    MAIL_LINE_TLS,      /* smtp: TLS connection established to relay: text; no queue id */
} MailLineKind;

typedef enum {
    MAIL_STATUS_OTHER, /* such as deliverable, of an address probe */
    MAIL_STATUS_SENT,
    MAIL_STATUS_DEFERRED, /* SOFTBOUNCE too */
    MAIL_STATUS_BOUNCED,
    MAIL_STATUS_EXPIRED, /* force-expired too */
} MailStatus;

typedef struct {
    gint64 at_us;     /* Unix microseconds */
    MailText stamp;   /* the time as it was written */
    MailText program; /* postfix/outrider-ip8/smtp */
    guint32 pid;
    MailText record; /* from the queue id (or the first word) to the end */
    MailText queue_id;
    MailLineKind kind;
    MailText from;     /* without brackets; length 0: the null sender */
    MailText to;       /* without brackets */
    MailText original; /* orig_to, without brackets */
    MailText relay;    /* host[address]:port */
    MailText dsn;
    MailText text;   /* what stands in the outer parentheses; of a TLS line protocol and cipher */
    MailText parent; /* orig_id */
    MailStatus status;
    guint code;        /* the remote's SMTP code, 0: none */
    guint connections; /* conn_use; 0: not given */
    guint64 delay_ms;
} MailLine;

/* Takes a line of a log file apart, without its line end. tag is the first part of Postfix's program
 * names; now (Unix seconds) settles the year of stamps that have none. FALSE, and out untouched: not
 * a line of this Postfix. */
gboolean mail_line_parse(const char *line, gsize length, const char *tag, gint64 now,
                         MailLine *out);

/* The same for what comes in parts, as from the systemd journal. stamp, program and message must
 * live as long as the result. */
gboolean mail_line_parse_parts(MailText stamp, gint64 at_us, MailText program, guint32 pid,
                               MailText message, const char *tag, MailLine *out);

/* The lane of the transport that logged, from outrider-ip<N> in the program's name; 0: none. */
guint32 mail_line_lane(const MailLine *line);

/* Whether the transport that logged is the one to the hop, outrider-split. */
gboolean mail_line_is_hop(const MailLine *line);

/* Whether it is discard(8): nobody got the message. */
gboolean mail_line_is_discard(const MailLine *line);

/* Whether the relay was reached over IPv6. */
gboolean mail_line_relay_is_ipv6(const MailLine *line);
