/* SPDX-License-Identifier: MIT */
#include "cli/verify_mail.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/directory/record.h"
#include "lib/mailauth/dkim_sign.h"

#define KEYS_MAX 12

/* Fields and body, lines ending with CRLF as they are signed. */
typedef struct {
    GPtrArray *values; /* of text, beside fields */
    GArray *fields;    /* of DkimField */
    char *body;
} Mail;

static void mail_clear(Mail *mail)
{
    g_clear_pointer(&mail->values, g_ptr_array_unref);
    g_clear_pointer(&mail->fields, g_array_unref);
    g_clear_pointer(&mail->body, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Mail, mail_clear)

/* Takes value. */
static void add_field(Mail *mail, const char *name, char *value)
{
    const DkimField field = {name, value};

    g_ptr_array_add(mail->values, value);
    g_array_append_val(mail->fields, field);
}

static void compose(Mail *mail, const Config *config, const char *address, const char *domain,
                    const char *code)
{
    const char *path = config_string(config, CONFIG_RETURN_PATH_DOMAIN);
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *uuid = g_uuid_string_random();

    mail->values = g_ptr_array_new_with_free_func(g_free);
    mail->fields = g_array_new(FALSE, FALSE, sizeof(DkimField));
    add_field(mail, "From", g_strdup_printf(" Outrider <postmaster@%s>", path));
    add_field(mail, "To", g_strdup_printf(" %s", address));
    add_field(mail, "Subject", g_strdup_printf(" Verify your ownership of %s", domain));
    add_field(mail, "Date", g_date_time_format(now, " %a, %d %b %Y %H:%M:%S +0000"));
    add_field(mail, "Message-ID", g_strdup_printf(" <%s@%s>", uuid, path));
    add_field(mail, "MIME-Version", g_strdup(" 1.0"));
    add_field(mail, "Content-Type", g_strdup(" text/plain; charset=us-ascii"));
    add_field(mail, "Auto-Submitted", g_strdup(" auto-generated"));
    mail->body = g_strdup_printf(
        "Somebody wants to send mail from addresses at\r\n%s\r\nby %s.\r\n\r\n"
        "If that is you, this is the code that proves it, for an hour:\r\n\r\n    %s\r\n\r\n"
        "If not, nothing has to be done.\r\n",
        domain, config_string(config, CONFIG_HOSTNAME), code);
}

static GPtrArray *sign(const Mail *mail, const Config *config, Sql *sql, GError **error)
{
    const SqlParameter installation[] = {SQL_UNSIGNED(0)};
    g_autoptr(Record) rows = record_list(sql, SQL_DKIM_KEY_SIGN_LIST, installation, 1, error);
    g_autoptr(DkimSigner) signer = rows ? dkim_signer_open(error) : NULL;
    const DkimContent content = {(const DkimField *)(gpointer)mail->fields->data, mail->fields->len,
                                 mail->body, strlen(mail->body)};
    DkimKey keys[KEYS_MAX];
    guint n = 0;

    if (!signer)
        return NULL;
    for (; n < MIN(json_object_array_length(rows), KEYS_MAX); n++) {
        const Record *row = json_object_array_get_idx(rows, n);
        keys[n] = (DkimKey){record_text(row, "selector"), record_text(row, "private_key"),
                            record_int(row, "is_ed25519") != 0};
    }
    if (n > 0)
        return dkim_signer_sign(signer, "verify", config_string(config, CONFIG_RETURN_PATH_DOMAIN),
                                keys, n, &content, error);
    g_set_error(
        error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE,
        "no DKIM key of the installation signs: make one with `outrider installation init'");
    return NULL;
}

/* With LF line ends, as sendmail wants it. */
static char *render(const Mail *mail, const GPtrArray *signatures)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < signatures->len; i++)
        g_string_append_printf(text, "DKIM-Signature:%s\n",
                               ((const DkimSignature *)signatures->pdata[i])->value);
    for (guint i = 0; i < mail->fields->len; i++) {
        const DkimField *field = &g_array_index(mail->fields, DkimField, i);
        g_string_append_printf(text, "%s:%s\n", field->name, field->value);
    }
    g_string_append_printf(text, "\n%s", mail->body);
    g_string_replace(text, "\r\n", "\n", 0);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static gboolean write_all(int fd, const char *text)
{
    gsize length = strlen(text);

    while (length > 0) {
        gssize n = write(fd, text, length);
        if (n <= 0)
            return FALSE;
        text += n;
        length -= (gsize)n;
    }
    return TRUE;
}

/* The path that Debian and most others have it at, unless PATH says otherwise. */
static char *find_sendmail(void)
{
    char *found = g_find_program_in_path("sendmail");

    return found ? found : g_strdup("/usr/sbin/sendmail");
}

static gboolean submit(const Config *config, const char *address, const char *text, GError **error)
{
    g_autofree char *program = find_sendmail();
    g_autofree char *directory = g_strdup(config_string(config, CONFIG_POSTFIX_CONFIG_DIR));
    g_autofree char *to = g_strdup(address);
    char option_config[] = "-C", ignore_dots[] = "-i", sender[] = "-f", null_sender[] = "<>",
         end[] = "--";
    char *command[] = {program,     option_config, directory, ignore_dots, sender,
                       null_sender, end,           to,        NULL};
    g_autoptr(GError) why = NULL;
    GPid pid;
    int in, status = -1;

    if (g_spawn_async_with_pipes(NULL, command, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid,
                                 &in, NULL, NULL, &why)) {
        gboolean written = write_all(in, text);
        close(in);
        if (waitpid(pid, &status, 0) == pid && written && g_spawn_check_wait_status(status, &why))
            return TRUE;
    }
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE, "%s did not take the mail: %s",
                program, why ? why->message : "it did not read it");
    return FALSE;
}

gboolean verify_mail_send(const Config *config, Sql *sql, const char *address, const char *domain,
                          const char *code, GError **error)
{
    g_auto(Mail) mail = {0};

    compose(&mail, config, address, domain, code);
    g_autoptr(GPtrArray) signatures = sign(&mail, config, sql, error);
    if (!signatures)
        return FALSE;
    g_autofree char *text = render(&mail, signatures);
    return submit(config, address, text, error);
}
