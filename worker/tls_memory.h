/* SPDX-License-Identifier: MIT */
/*
 * Purpose: Postfix logs the TLS of a connection in a line of its own, without a queue id; the delivery
 *     lines of the same process that follow belong to it.
 * Used by: mail_follower.
 * May touch: nothing.
 * Threads: one.
 * Limits: remembers TLS_MEMORY_MAX processes; when more come, all are forgotten.
 */
#pragma once

#include "worker/mail_line.h"

#define TLS_MEMORY_MAX 10000

typedef struct TlsMemory TlsMemory;

TlsMemory *tls_memory_new(void);
void tls_memory_free(TlsMemory *memory);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TlsMemory, tls_memory_free)

/* Takes note of a TLS line. */
void tls_memory_note(TlsMemory *memory, const MailLine *line);

/* What a delivery line was sent with, or NULL: a new connection (conn_use absent) counts only when
 * its TLS line came after the process's last delivery, to the same relay. The text lives until the
 * next call. */
const char *tls_memory_of(TlsMemory *memory, const MailLine *line);
