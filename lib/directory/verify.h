/* SPDX-License-Identifier: MIT */
/*
 * Purpose: proof that a domain is its owner's: a TXT record at the domain, or a code that was sent to its postmaster.
 * Used by: the CLI.
 * May touch: name servers; the tables domain and domain_code of MariaDB.
 * Threads: one connection per thread.
 * Limits: a code is good for VERIFY_CODE_SECONDS and VERIFY_WRONG_MAX wrong ones; VERIFY_CODES_MAX codes a day.
 */
#pragma once

#include "lib/directory/record.h"
#include "lib/dns/dns.h"

#define VERIFY_TOKEN_LENGTH 32
#define VERIFY_CODE_LENGTH  6
#define VERIFY_CODE_SECONDS 3600
#define VERIFY_WRONG_MAX    5
#define VERIFY_CODES_MAX    5
#define VERIFY_DAY          86400

/* What a new domain's owner will have to publish; g_free. */
char *verify_token_new(GError **error);

/* "outrider-verification=..." of a domain's record; NULL: it has no token yet. g_free. */
char *verify_record(const Record *domain);

/* The domain's record, with a token: one from before tokens gets one now. */
Record *directory_verify_token(Sql *sql, const char *const *names, GError **error);

/* Looks for the TXT record of a domain that has a token, and takes the domain as verified. NOT_FOUND: the DNS does not
 * show it; UNAVAILABLE: could not check. */
gboolean directory_verify_dns(Sql *sql, Dns *dns, const Record *domain, GError **error);

/* Whether a code may be sent there: postmaster, hostmaster, webmaster, admin or administrator at the domain. INVALID else. */
gboolean verify_address(const char *address, const char *domain, GError **error);

/* A new code for a domain, in place of an earlier one; g_free. REFUSED: too many today. */
char *directory_verify_code_new(Sql *sql, guint64 domain, const char *address, GError **error);

/* Takes the domain as verified when this is its code. REFUSED: it is not, and how many tries are left. */
gboolean directory_verify_code(Sql *sql, guint64 domain, const char *code, GError **error);

/* What is known of a code, and what is to be said of one that is given. */
typedef struct {
    const char *code; /* NULL: none was sent, or it is used up */
    gint64 sent_at;
    guint wrong;
} VerifyFacts;

typedef enum {
    VERIFY_GOOD,
    VERIFY_WRONG,
    VERIFY_NONE,
    VERIFY_EXPIRED,
    VERIFY_USED_UP
} VerifyVerdict;

VerifyVerdict verify_decide(const VerifyFacts *facts, const char *given, gint64 now);
