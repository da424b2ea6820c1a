/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what a delivery status notification says (RFC 3464), if a message is one (RFC 6522).
 * Used by: the milter, for what comes back to return paths.
 * May touch: nothing.
 * Threads: any.
 * Limits: as tree.h; MIME_REPORT_OCTETS_MAX of its status, texts of MIME_REPORT_TEXT_MAX octets; what is beyond is not looked
 *     at. Everything in it was written by a stranger.
 */
#pragma once

#include <glib.h>

#define MIME_REPORT_OCTETS_MAX (64 * 1024)
#define MIME_REPORT_TEXT_MAX   500

/* Of the first recipient that failed, or else of the first. Texts are valid UTF-8 without control characters; NULL: it does not say. */
typedef struct {
    char *action;     /* lower case: failed, delayed, delivered, relayed, expanded */
    char *status;     /* "5.1.1" */
    char *recipient;  /* address without its type */
    char *diagnostic; /* what the remote host said, without its type */
    char *remote;     /* the host that said it, without its type */
} MimeReport;

void mime_report_clear(MimeReport *report);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MimeReport, mime_report_clear)

/* Reads a message (fields: GPtrArray of MimeField). FALSE: it is no notification, and *report is empty. */
gboolean mime_report_read(const GPtrArray *fields, const char *body, gsize length,
                          MimeReport *report);
