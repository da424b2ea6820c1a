/* SPDX-License-Identifier: MIT */
/*
 * Purpose: DISPATCH: by which lane, held or not, signed as whom, and how the message changes. Facts
 *     in, verdict out.
 * Used by: the milter.
 * May touch: nothing.
 * Threads: any.
 * Limits: a tag of DISPATCH_TAG_MAX characters; longer is cut.
 */
#pragma once

#include <glib.h>

#include "lib/edge/edge.h"
#include "lib/mime/wire_safe.h"
#include "milters/message.h"

#define DISPATCH_TAG_MAX 255

#define DISPATCH_POSTAL_ID   "X-Postal-MsgID"
#define DISPATCH_LANE_HEADER "X-Outrider-Lane"
#define DISPATCH_STAGE_HEADER                                                                      \
    "X-Outrider-Stage" /* milter_header_checks FILTERs by its value, "split" */

typedef struct {
    guint64 id;
    const EdgeCredential *credential;
    const GArray *lanes;      /* of EdgeLane */
    const EdgeDomain *domain; /* what authorises the From domain; NULL: Sender did */
    const char *from_domain;
    gboolean domain_has_keys; /* domain has an active DKIM key */
    const char *suppressed;   /* why nothing is sent to the recipient, borrowed; NULL: it is */
} DispatchFacts;

typedef struct {
    guint32 lane;     /* 0: default transport */
    const char *hold; /* static reason, or that of a suppression; NULL: not held */
    /* Static, the rule's word in lib/journal/hold_rule.def; NULL: not held. */
    const char *hold_rule;
    const char *would_hold; /* the reason that shadow mode passes over; NULL: none */
    /* Why the suppression of its recipient lets it not leave at all; NULL: it may. */
    const char *refuse;
    const char *would_refuse; /* the same, where shadow mode passes over it */
    guint32 sign_domain;      /* whose keys: a domain's id, or 0: the installation's */
    const char *lane_note;    /* static, why no lane of the pool serves; NULL: nothing to say */
} DispatchVerdict;

DispatchVerdict dispatch_decide(const DispatchFacts *facts);

/* The domain of its return path: the label below the domain that allows it, when the DNS was found right about that
 * label, else the installation's. g_free. */
char *dispatch_return_path(const EdgeDomain *domain, const char *label, const char *installation);

/* Holds it for a limit that is reached; reason is borrowed. */
void dispatch_hold_by_limit(DispatchVerdict *verdict, const char *reason);

/* The value of the last X-Outrider-Tag or X-Postal-Tag, valid UTF-8; NULL: none. g_free. */
char *dispatch_tag(const GPtrArray *fields);

/* Whose message it is, for providers' feedback loops: tag, server, organization, and the sender id of the installation last, as
 * Gmail wants it. What is not a letter, digit, `.', `_' or `-' becomes `_'. NULL: sender is empty. g_free. */
char *dispatch_feedback(const char *tag, const EdgeCredential *credential, const char *sender);

typedef struct {
    guint64 id;
    const char *token;
    const char *msgid; /* of lib/seal/msgid.h */
    const char *hostname;
    gint64 now;           /* Unix seconds */
    gboolean postal;      /* with X-Postal-MsgID, too */
    gboolean hide_client; /* the topmost Received that we see is our Postfix's: behind the hop */
    const char *feedback; /* value of Feedback-ID; NULL: none */
} DispatchStamp;

/* All edits but signatures: strangers' X-Outrider-* (not -Tag) and X-AMP go, and X-Postal-MsgID if we add our own; the client
 * goes from our Postfix's Received when it is to be hidden; vertical tabs and form feeds in fields that are signed become
 * blanks, long lines are folded, the new transfer encoding is
 * declared, missing Date and Message-ID are added, ours comes on top. *reason is set (static) when a header line stays
 * too long. */
GPtrArray *dispatch_edits(GPtrArray *fields, const MimeWireSafe *safe, const DispatchStamp *stamp,
                          const char **reason);

/* The edits of mail that came in: fields between programs of ours go, ours comes on top, and nothing that somebody signed changes,
 * as another installation does its X-Outrider-MsgID. */
GPtrArray *dispatch_arrival_edits(GPtrArray *fields, const char *msgid);
