/* SPDX-License-Identifier: MIT */
#include "lib/directory/verify.h"

#include <string.h>

#include "lib/base/address.h"
#include "lib/base/error.h"
#include "lib/directory/directory.h"
#include "lib/dns/zone.h"
#include "lib/seal/random.h"

#define PREFIX "outrider-verification="

static gint64 now_seconds(void)
{
    return g_get_real_time() / G_USEC_PER_SEC;
}

char *verify_token_new(GError **error)
{
    return random_text(RANDOM_SMALL RANDOM_DIGITS, VERIFY_TOKEN_LENGTH, error);
}

char *verify_record(const Record *domain)
{
    const char *token = record_text(domain, "verification_token");

    return token ? g_strconcat(PREFIX, token, NULL) : NULL;
}

Record *directory_verify_token(Sql *sql, const char *const *names, GError **error)
{
    g_autoptr(Record) domain = directory_show(sql, DIRECTORY_DOMAIN, names, error);

    if (!domain || !record_is_null(domain, "verification_token"))
        return g_steal_pointer(&domain);
    g_autofree char *token = verify_token_new(error);
    const SqlParameter parameters[] = {SQL_TEXT(token), SQL_UNSIGNED(record_int(domain, "id"))};
    if (!token || !sql_execute(sql, SQL_DOMAIN_TOKEN_SET, parameters, 2, NULL, NULL, error))
        return NULL;
    return directory_show(sql, DIRECTORY_DOMAIN, names, error);
}

static gboolean shows(const GPtrArray *records, const char *proof)
{
    for (guint i = 0; records && i < records->len; i++) {
        g_autofree char *text = g_strstrip(g_strdup(records->pdata[i]));
        if (g_str_equal(text, proof))
            return TRUE;
    }
    return FALSE;
}

/* What is asked of every server. */
typedef struct {
    const char *proof;
    gboolean unanswered;
} Proof;

static gboolean take_answer(const char *server, const GPtrArray *records, const GError *why,
                            gpointer data)
{
    Proof *proof = data;

    (void)server;
    proof->unanswered = why && !g_error_matches(why, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND);
    return shows(records, proof->proof);
}

/* The resolver may still remember that there was none. */
static gboolean is_proved(Dns *dns, const char *name, const char *text, GError **error)
{
    g_autoptr(GPtrArray) records = dns_lookup(dns, name, DNS_TXT, NULL);
    g_autoptr(GError) why = NULL;
    Proof proof = {.proof = text};

    if (shows(records, text) || zone_ask_all(dns, name, DNS_TXT, take_answer, &proof, &why))
        return TRUE;
    if (why || proof.unanswered)
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE, "could not check %s: %s",
                    name, why ? why->message : "one of its name servers does not answer");
    else
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND,
                    "%s has no TXT record \"%s\" yet: publish it and try again", name, text);
    return FALSE;
}

typedef struct {
    guint64 domain;
    gint64 now;
    const char *address;
    const char *given;
    char code[VERIFY_CODE_LENGTH + 1];
    VerifyVerdict verdict;
    guint left; /* tries */
} Work;

static gboolean set_verified(Sql *sql, const Work *work, GError **error)
{
    guint64 revision;
    const SqlParameter id[] = {SQL_UNSIGNED(work->domain)};

    if (!sql_next_revision(sql, &revision, error))
        return FALSE;
    const SqlParameter verified[] = {SQL_INT(work->now), SQL_UNSIGNED(revision), id[0]};
    const SqlParameter due[] = {id[0], SQL_INT(work->now)};
    return sql_execute(sql, SQL_DOMAIN_VERIFIED, verified, 3, NULL, NULL, error) &&
           sql_execute(sql, SQL_DOMAIN_CODE_DELETE, id, 1, NULL, NULL, error) &&
           sql_execute(sql, SQL_DNS_CHECK_DUE_SET, due, 2, NULL, NULL, error);
}

static gboolean do_verified(Sql *sql, gpointer data, GError **error)
{
    return set_verified(sql, data, error);
}

gboolean directory_verify_dns(Sql *sql, Dns *dns, const Record *domain, GError **error)
{
    Work work = {.domain = (guint64)record_int(domain, "id"), .now = now_seconds()};
    g_autofree char *proof = verify_record(domain);

    g_assert(proof);
    return is_proved(dns, record_text(domain, "name"), proof, error) &&
           sql_transaction(sql, do_verified, &work, error);
}

gboolean verify_address(const char *address, const char *domain, GError **error)
{
    static const char *const locals[] = {"postmaster", "hostmaster",    "webmaster",
                                         "admin",      "administrator", NULL};
    g_autofree char *form = address_form(address);
    char *at = form ? strrchr(form, '@') : NULL;

    if (at) {
        *at++ = '\0';
        if (g_strv_contains(locals, form) && g_str_equal(at, domain))
            return TRUE;
    }
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID,
                "mail: allowed are postmaster, hostmaster, webmaster, admin and administrator@%s",
                domain);
    return FALSE;
}

VerifyVerdict verify_decide(const VerifyFacts *facts, const char *given, gint64 now)
{
    if (!facts->code)
        return VERIFY_NONE;
    if (facts->wrong >= VERIFY_WRONG_MAX)
        return VERIFY_USED_UP;
    if (now >= facts->sent_at + VERIFY_CODE_SECONDS)
        return VERIFY_EXPIRED;
    return g_str_equal(facts->code, given) ? VERIFY_GOOD : VERIFY_WRONG;
}

static gboolean find_code(Sql *sql, guint64 domain, Record **found, GError **error)
{
    const SqlParameter id[] = {SQL_UNSIGNED(domain)};
    g_autoptr(GError) why = NULL;

    *found = record_first(sql, SQL_DOMAIN_CODE_FIND, id, 1, &why);
    if (!why)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&why));
    return FALSE;
}

static gboolean set_code(Sql *sql, const Work *work, const char *address, const char *code,
                         gint64 sent_at, guint wrong, gint64 first_at, gint64 codes, GError **error)
{
    const SqlParameter parameters[] = {
        SQL_UNSIGNED(work->domain), SQL_TEXT(address), SQL_TEXT(code),     SQL_INT(sent_at),
        SQL_UNSIGNED(wrong),        SQL_INT(first_at), SQL_UNSIGNED(codes)};

    return sql_execute(sql, SQL_DOMAIN_CODE_SET, parameters, G_N_ELEMENTS(parameters), NULL, NULL,
                       error);
}

static gboolean do_new(Sql *sql, gpointer data, GError **error)
{
    Work *work = data;
    g_autoptr(Record) old = NULL;

    if (!find_code(sql, work->domain, &old, error))
        return FALSE;
    gboolean today = old && work->now < record_int(old, "first_at") + VERIFY_DAY;
    gint64 codes = today ? record_int(old, "codes") : 0;
    if (codes >= VERIFY_CODES_MAX) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_REFUSED,
                    "%d codes were sent within a day: try again tomorrow, or by DNS",
                    VERIFY_CODES_MAX);
        return FALSE;
    }
    return set_code(sql, work, work->address, work->code, work->now, 0,
                    today ? record_int(old, "first_at") : work->now, codes + 1, error);
}

char *directory_verify_code_new(Sql *sql, guint64 domain, const char *address, GError **error)
{
    Work work = {.domain = domain, .now = now_seconds(), .address = address};
    g_autofree char *code = random_text(RANDOM_DIGITS, VERIFY_CODE_LENGTH, error);

    if (!code)
        return NULL;
    memcpy(work.code, code, sizeof(work.code));
    return sql_transaction(sql, do_new, &work, error) ? g_steal_pointer(&code) : NULL;
}

/* A wrong code counts, so that much is committed. */
static gboolean do_code(Sql *sql, gpointer data, GError **error)
{
    Work *work = data;
    g_autoptr(Record) row = NULL;

    if (!find_code(sql, work->domain, &row, error))
        return FALSE;
    const VerifyFacts facts = {.code = row ? record_text(row, "code") : NULL,
                               .sent_at = row ? record_int(row, "sent_at") : 0,
                               .wrong = row ? (guint)record_int(row, "wrong") : 0};
    work->verdict = verify_decide(&facts, work->given, work->now);
    if (work->verdict == VERIFY_GOOD)
        return set_verified(sql, work, error);
    if (work->verdict != VERIFY_WRONG)
        return TRUE;
    work->left = VERIFY_WRONG_MAX - facts.wrong - 1;
    return set_code(sql, work, record_text(row, "address"), facts.code, facts.sent_at,
                    facts.wrong + 1, record_int(row, "first_at"), record_int(row, "codes"), error);
}

gboolean directory_verify_code(Sql *sql, guint64 domain, const char *code, GError **error)
{
    static const char *const texts[] = {
        [VERIFY_NONE] = "code: none was sent: ask for one with --mail",
        [VERIFY_EXPIRED] = "code: it is older than an hour: ask for another with --mail",
        [VERIFY_USED_UP] = "code: there were too many wrong ones: ask for another with --mail",
    };
    Work work = {.domain = domain, .now = now_seconds(), .given = code};

    if (!sql_transaction(sql, do_code, &work, error))
        return FALSE;
    if (work.verdict == VERIFY_GOOD)
        return TRUE;
    if (work.verdict == VERIFY_WRONG)
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_REFUSED,
                    "code: it is not this one; %u tries are left", work.left);
    else
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_REFUSED, "%s", texts[work.verdict]);
    return FALSE;
}
