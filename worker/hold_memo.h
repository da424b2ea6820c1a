/* SPDX-License-Identifier: MIT */
/*
 * Purpose: which limits were found full while held mail is looked at, oldest first: what falls under one of
 *     them need not be asked for, and must not overtake. Pure.
 * Used by: the worker's hold keeper.
 * May touch: nothing.
 * Threads: one.
 */
#pragma once

#include "lib/base/limit.h"

typedef struct {
    guint64 id;
    guint32 organization, server, credential;
    char *queue_id;
    char *domain;  /* of the recipient, as address_domain makes it; NULL: none */
    char *address; /* of the recipient, as suppressions are looked up; NULL: none */
} HeldMail;

/* For arrays of them. */
void held_mail_clear(HeldMail *mail);

typedef struct HoldMemo HoldMemo;

HoldMemo *hold_memo_new(void);
void hold_memo_free(HoldMemo *memo);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HoldMemo, hold_memo_free)

/* A limit on that subject of the message is full. */
void hold_memo_full(HoldMemo *memo, const HeldMail *mail, LimitSubject subject);

/* Whether a limit that the message falls under is known to be full. */
gboolean hold_memo_is_full(const HoldMemo *memo, const HeldMail *mail);

/* Whether one is that all mail of its server falls under. */
gboolean hold_memo_is_server_full(const HoldMemo *memo, const HeldMail *mail);
