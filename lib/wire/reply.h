/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what a remote host's refusal is about (RFC 5321, 3463, 5248, 7372, 7504, 7505 and what hosts say in
 *     fact), from Postfix's words about a delivery or from the bare reply. reply_rule.def says how, then
 *     reply_status.def; who answered is told by reply_provider.def.
 *     In doubt it is not the address. It never is for 421, for x.7.x, for what is said about the sender (x.1.7,
 *     x.1.8), and before RCPT.
 * Used by: outrider(1); whoever decides by it what becomes of a recipient.
 * May touch: nothing.
 * Threads: any.
 * Limits: of a reply REPLY_TEXT_MAX octets are looked at.
 */
#pragma once

#include <glib.h>

#include "lib/wire/phrase.h"

#define REPLY_TEXT_MAX PHRASE_TEXT_MAX

typedef enum {
#define X(ID, name, meaning) REPLY_##ID,
#include "lib/wire/reply_class.def"
#undef X
    REPLY_CLASS_COUNT
} ReplyClass;

typedef enum {
#define X(ID, name, words) REPLY_STAGE_##ID,
#include "lib/wire/reply_stage.def"
#undef X
    REPLY_STAGE_COUNT
} ReplyStage;

typedef enum {
    REPLY_FROM_UNKNOWN,
#define X(ID, name, relays, phrases) REPLY_FROM_##ID,
#include "lib/wire/reply_provider.def"
#undef X
    REPLY_PROVIDER_COUNT
} ReplyProvider;

/* Whether the same may be tried again: by the basic code, as Postfix does; else by the enhanced one. */
typedef enum { REPLY_UNCERTAIN, REPLY_TEMPORARY, REPLY_PERMANENT } ReplyPermanence;

/* Not NUL-terminated; points into what was read. */
typedef struct {
    const char *data;
    gsize length;
} ReplyText;

typedef struct {
    ReplyStage stage;
    gboolean own;    /* Postfix's own words: no host answered */
    guint code;      /* 0: none */
    guint status[3]; /* RFC 3463's; 0.0.0: none */
    ReplyText relay; /* host name */
    ReplyText text;
} Reply;

typedef struct {
    ReplyClass class;
    ReplyPermanence permanence;
    ReplyProvider provider;
    const char *rule; /* of reply_rule.def, or the code of reply_status.def, as "x.1.1"; "": none */
    ReplyText words;  /* of the text, which the rule went by; length 0: by the codes alone */
} ReplyVerdict;

/* Takes Postfix's words about a delivery apart ("host H[IP] said: 550 ... (in reply to RCPT TO command)"), or a
 * reply as it was sent ("550 5.1.1 ..."). Anything is taken; what is in none of these forms is Postfix's own.
 * The result points into text. */
void reply_read(const char *text, gsize length, Reply *reply);

/* What is known beside the text: Postfix's dsn ("5.1.1"), taken when the text has no code of its own, and its
 * relay ("H[IP]:25" or "none"), which must live as long. What has no such form is left. */
void reply_add_status(Reply *reply, const char *dsn);
void reply_add_relay(Reply *reply, const char *relay);

void reply_classify(const Reply *reply, ReplyVerdict *verdict);

/* All of that at once. Each may be NULL; the verdict's words point into text. */
void reply_judge(const char *text, const char *dsn, const char *relay, ReplyVerdict *verdict);

/* "address", "rcpt", "Gmail", "permanent". */
const char *reply_class_name(ReplyClass class);
const char *reply_class_meaning(ReplyClass class);
const char *reply_stage_name(ReplyStage stage);
const char *reply_provider_name(ReplyProvider provider); /* "unknown" too */
const char *reply_permanence_name(ReplyPermanence permanence);

/* FALSE: no stage has that name. */
gboolean reply_stage_parse(const char *name, ReplyStage *stage);
