/* SPDX-License-Identifier: MIT */
#include "milters/callback.h"

#include <arpa/inet.h>
#include <libmilter/mfapi.h>
#include <netinet/in.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/log/log.h"
#include "lib/wire/smtp_reply.h"
#include "milters/gate.h"
#include "milters/inject.h"
#include "milters/split.h"
#include "milters/submission.h"

#define ACTIONS                                                                                    \
    (SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_CHGBODY | SMFIF_CHGFROM | SMFIF_ADDRCPT |               \
     SMFIF_DELRCPT | SMFIF_QUARANTINE | SMFIF_SETSYMLIST)
#define STEPS                                                                                      \
    (SMFIP_HDR_LEADSPC | SMFIP_NODATA | SMFIP_NOEOH | SMFIP_NOUNKNOWN | SMFIP_NR_HELO |            \
     SMFIP_NR_HDR | SMFIP_NR_BODY)
#define TEXT_MAX (SMTP_LINE_MAX - SMTP_STATUS_MAX - 2)
#define BIG      (1024 * 1024) /* from here on, say that we still work */

/* libmilter has no place for these but globals. What all points to is used inside the gate only. */
static Shared *all;
static Gate gate;

/* A reason may be in any language, a reply not; Sendmail's protocol knows %% in it. */
static void make_plain(char *text)
{
    for (char *p = text; *p; p++)
        if (!g_ascii_isprint(*p) || *p == '%')
            *p = '?';
}

/* With the session's own text, if there is one. session may be NULL. */
static sfsistat answer(SMFICTX *context, Session *session, RefusalName name)
{
    const Refusal *refusal = refusal_words(name);
    g_autofree char *code = g_strdup(refusal->code);
    g_autofree char *enhanced = g_strdup(refusal->enhanced);
    g_autofree char *reply = session ? g_steal_pointer(&session->reply) : NULL;
    g_autofree char *text = smtp_reply_fit(reply ? reply : refusal->text, TEXT_MAX);

    make_plain(text);
    smfi_setreply(context, code, enhanced, text);
    return *code == '4' ? SMFIS_TEMPFAIL : SMFIS_REJECT;
}

static const char *macro(SMFICTX *context, const char *name)
{
    g_autofree char *owned = g_strdup(name);
    const char *value = smfi_getsymval(context, owned);

    return value && *value ? value : NULL;
}

static sfsistat on_negotiate(SMFICTX *context, unsigned long actions, unsigned long steps,
                             unsigned long unused0, unsigned long unused1,
                             unsigned long *want_actions, unsigned long *want_steps,
                             unsigned long *want0, unsigned long *want1)
{
    static const struct {
        int stage;
        const char *macros;
    } lists[] = {
        {SMFIM_CONNECT, "{daemon_name} {client_addr} {client_port} {client_name}"},
        {SMFIM_HELO, "{tls_version} {cipher}"},
        {SMFIM_ENVFROM, "{auth_authen} {auth_type} {mail_addr} {tls_version} {cipher}"},
        {SMFIM_ENVRCPT, "{rcpt_addr}"},
        {SMFIM_EOM, "i"},
    };

    (void)unused0;
    (void)unused1;
    if ((actions & ACTIONS) != ACTIONS || (steps & STEPS) != STEPS) {
        log_error(NULL, "mail server is too old: it lacks milter protocol steps",
                  LOG_INT("actions", actions), LOG_INT("steps", steps));
        return SMFIS_REJECT;
    }
    for (guint i = 0; i < G_N_ELEMENTS(lists); i++) {
        g_autofree char *macros = g_strdup(lists[i].macros);
        smfi_setsymlist(context, lists[i].stage, macros);
    }
    *want_actions = ACTIONS;
    *want_steps = STEPS;
    *want0 = 0;
    *want1 = 0;
    return SMFIS_CONTINUE;
}

static char *address_text(const _SOCK_ADDR *address)
{
    char text[INET6_ADDRSTRLEN] = "";
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (address && address->sa_family == AF_INET) {
        memcpy(&v4, address, sizeof v4);
        inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
    } else if (address && address->sa_family == AF_INET6) {
        memcpy(&v6, address, sizeof v6);
        inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
    }
    return *text ? g_strdup(text) : NULL;
}

static sfsistat on_close(SMFICTX *context)
{
    Session *session = smfi_getpriv(context);

    if (!session)
        return SMFIS_CONTINUE;
    smfi_setpriv(context, NULL);
    client_clear(&session->client);
    message_free(session->message);
    g_free(session->reply);
    g_free(session);
    return SMFIS_CONTINUE;
}

/* FALSE: the listener is none of ours. */
static gboolean kind_of(const char *listener, SessionKind *kind)
{
    static const struct {
        const char *listener;
        SessionKind kind;
    } kinds[] = {{CALLBACK_SUBMISSION, SESSION_SUBMISSION},
                 {CALLBACK_INJECT, SESSION_INJECT},
                 {CALLBACK_HOP, SESSION_HOP}};

    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (g_strcmp0(listener, kinds[i].listener) == 0) {
            *kind = kinds[i].kind;
            return TRUE;
        }
    }
    return FALSE;
}

static sfsistat on_connect(SMFICTX *context, char *host, _SOCK_ADDR *address)
{
    SessionKind kind;

    if (!kind_of(macro(context, "{daemon_name}"), &kind))
        return SMFIS_ACCEPT;

    on_close(context);
    Session *session = g_new0(Session, 1);
    session->kind = kind;
    session->client.ip = address_text(address);
    session->client.port = g_strdup(macro(context, "{client_port}"));
    session->client.ptr = g_strdup(host);
    smfi_setpriv(context, session);
    return SMFIS_CONTINUE;
}

static sfsistat on_helo(SMFICTX *context, char *name)
{
    Session *session = smfi_getpriv(context);

    if (session) {
        g_free(session->client.helo);
        session->client.helo = g_strdup(name);
    }
    return SMFIS_NOREPLY;
}

static void note_security(SMFICTX *context, Client *client)
{
    const char *version = macro(context, "{tls_version}");
    const char *cipher = macro(context, "{cipher}");

    g_free(client->tls);
    client->tls = version ? g_strjoin(" ", version, cipher, NULL) : NULL;
    g_free(client->auth);
    client->auth = g_strdup(macro(context, "{auth_type}"));
}

static RefusalName identify(SMFICTX *context, Session *session)
{
    g_autoptr(EdgeCredential) credential = NULL;

    note_security(context, &session->client);
    RefusalName refusal = session_identify(session, all, macro(context, "{auth_authen}"));
    if (refusal != REFUSAL_NONE)
        return refusal;
    refusal = session_credential(session, all, &credential);
    if (refusal != REFUSAL_NONE && refusal != REFUSAL_INTERNAL)
        session_refused(session, all, credential, NULL, refusal);
    return refusal;
}

static RefusalName begin(SMFICTX *context, Session *session, const char *sender)
{
    g_clear_pointer(&session->message, message_free);
    RefusalName refusal =
        session->kind == SESSION_SUBMISSION ? identify(context, session) : REFUSAL_NONE;
    if (refusal == REFUSAL_NONE)
        session_begin(session, shared_config(all), sender);
    return refusal;
}

/* libmilter lets commands come without the ones before them, so a session may be missing. */
static sfsistat on_mail(SMFICTX *context, char **arguments)
{
    Session *session = smfi_getpriv(context);
    RefusalName refusal = REFUSAL_INTERNAL;

    if (session && arguments[0] && gate_enter(&gate)) {
        refusal = begin(context, session, arguments[0]);
        gate_leave(&gate);
    }
    return refusal == REFUSAL_NONE ? SMFIS_CONTINUE : answer(context, session, refusal);
}

static sfsistat on_rcpt(SMFICTX *context, char **arguments)
{
    Session *session = smfi_getpriv(context);

    if (!session || !session->message || !arguments[0])
        return answer(context, session, REFUSAL_INTERNAL);
    if (!message_add_recipient(session->message, arguments[0], macro(context, "{rcpt_addr}")))
        return answer(context, session, REFUSAL_RECIPIENTS);
    return SMFIS_CONTINUE;
}

static sfsistat on_header(SMFICTX *context, char *name, char *value)
{
    Session *session = smfi_getpriv(context);

    if (session && session->message)
        message_add_field(session->message, name, value);
    return SMFIS_NOREPLY;
}

static sfsistat on_body(SMFICTX *context, unsigned char *data, size_t length)
{
    Session *session = smfi_getpriv(context);

    if (session && session->message)
        message_add_body(session->message, data, length);
    return SMFIS_NOREPLY;
}

static void progress(gpointer data)
{
    smfi_progress(data);
}

static void no_progress(gpointer data)
{
    (void)data;
}

static RefusalName take(SMFICTX *context, Session *session, gboolean *discard)
{
    g_autofree char *queue_id = g_strdup(macro(context, "i"));
    gboolean big = message_size(session->message) > BIG;
    const OutgoingTick tick = {big ? progress : no_progress, context};

    switch (session->kind) {
    case SESSION_HOP:
        return split_take(context, session, all, queue_id, &tick, discard);
    case SESSION_INJECT:
        return inject_take(context, session, all, queue_id, &tick, discard);
    case SESSION_SUBMISSION:
    default:
        return submission_take(context, session, all, queue_id, &tick);
    }
}

static sfsistat on_end_of_message(SMFICTX *context)
{
    Session *session = smfi_getpriv(context);
    RefusalName refusal = REFUSAL_INTERNAL;
    gboolean discard = FALSE;

    if (session && session->message && message_rcpt(session->message) && gate_enter(&gate)) {
        refusal = take(context, session, &discard);
        gate_leave(&gate);
    }
    if (session)
        g_clear_pointer(&session->message, message_free);
    if (refusal != REFUSAL_NONE)
        return answer(context, session, refusal);
    return discard ? SMFIS_DISCARD : SMFIS_CONTINUE;
}

static sfsistat on_abort(SMFICTX *context)
{
    Session *session = smfi_getpriv(context);

    if (session)
        g_clear_pointer(&session->message, message_free);
    return SMFIS_CONTINUE;
}

gboolean callback_register(Shared *shared, GError **error)
{
    static char name[] = "outrider-milter";
    struct smfiDesc description = {.xxfi_name = name,
                                   .xxfi_version = SMFI_VERSION,
                                   .xxfi_flags = ACTIONS,
                                   .xxfi_connect = on_connect,
                                   .xxfi_helo = on_helo,
                                   .xxfi_envfrom = on_mail,
                                   .xxfi_envrcpt = on_rcpt,
                                   .xxfi_header = on_header,
                                   .xxfi_body = on_body,
                                   .xxfi_eom = on_end_of_message,
                                   .xxfi_abort = on_abort,
                                   .xxfi_close = on_close,
                                   .xxfi_negotiate = on_negotiate};

    all = shared;
    if (smfi_register(description) == MI_SUCCESS)
        return TRUE;
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INTERNAL, "smfi_register failed");
    return FALSE;
}

gboolean callback_drain(guint seconds)
{
    return gate_close(&gate, seconds);
}
