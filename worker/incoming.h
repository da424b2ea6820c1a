/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the tables by which Postfix knows what mail comes in for us (regexp_table(5)): our-domains and our-recipients are
 *     gates before policyd's answers, so that mail for others never asks us; other-recipients passes what is not ours, for
 *     a relay whose relay_recipient_maps is empty else; transports leads what was taken to the hop.
 * Used by: edge_writer.
 * May touch: <postfix_config_dir>/outrider/{our-domains,our-recipients,other-recipients,transports}.regexp.
 * Threads: the caller's.
 * Limits: INCOMING_DOMAINS_MAX domains with routes, and as many with return paths of their own.
 *
 * Return paths are taken by their shape in the gates; transports names each host, as others may use the same label.
 * What is taken in must know its way: so transports is written first, and the gates INCOMING_SETTLE_SECONDS later, when Postfix
 * has read it; no mail leaves with a return path at a domain of its own before (edge_writer). Postfix is not made to reload
 * more often than every INCOMING_PAUSE_SECONDS.
 */
#pragma once

#include <glib.h>

#define INCOMING_DOMAINS_MAX    20000
#define INCOMING_SETTLE_SECONDS 5
#define INCOMING_PAUSE_SECONDS  10

/* Names are A-labels in lower case; the lists of char * are in order. */
typedef struct {
    const GPtrArray *domains;        /* with routes */
    const GPtrArray *return_domains; /* whose return paths are at LABEL.DOMAIN */
    const char *return_path_domain;
    const char *return_path_label;
    const char *route_domain; /* "": none */
    guint hop_port;
} IncomingNames;

/* The texts of the tables; g_free. */
char *incoming_domains(const IncomingNames *names);
char *incoming_recipients(const IncomingNames *names);
char *incoming_others(const IncomingNames *names);
char *incoming_transports(const IncomingNames *names);

typedef struct {
    gboolean changed; /* a table was written: Postfix has to reload */
    gboolean pending; /* another is to be written later: call again */
} IncomingWritten;

/* Writes in directory what is due at now (Unix seconds). */
gboolean incoming_write(const char *directory, const IncomingNames *names, gint64 now,
                        IncomingWritten *written, GError **error);
