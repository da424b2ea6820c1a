/* SPDX-License-Identifier: MIT */
#include "cli/send_letter.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/mime/build.h"
#include "lib/mime/compose.h"
#include "lib/mime/field.h"
#include "lib/submission/raw.h"

#define PIECE 65536

/* The name of an option with what is wrong about it. Always FALSE. */
static gboolean wrong(GError **error, const char *option, const char *why)
{
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "%s: %s", option, why);
    return FALSE;
}

/* All of fd behind data; *left is what may come. */
static gboolean read_all(int fd, GByteArray *data, const char *option, const char *file,
                         gsize *left, GError **error)
{
    for (;;) {
        gsize had = data->len;
        g_byte_array_set_size(data, (guint)had + PIECE);
        gssize got = read(fd, data->data + had, PIECE);
        int why = errno;
        g_byte_array_set_size(data, (guint)(had + (gsize)MAX(got, 0)));
        if (got < 0 && why == EINTR)
            continue;
        if (got < 0)
            return error_set_errno(error, why, "read", file);
        if (got == 0)
            return TRUE;
        if ((gsize)got > *left) {
            g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_TOO_LARGE,
                        "%s: %s is too large: a message may have message_size_max octets", option,
                        file);
            return FALSE;
        }
        *left -= (gsize)got;
    }
}

GByteArray *send_file_read(const char *option, const char *file, gsize *left, GError **error)
{
    g_autoptr(GByteArray) data = g_byte_array_new();
    gboolean standard = g_str_equal(file, "-");
    int fd = standard ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        error_set_errno(error, errno, "open", file);
        return NULL;
    }
    gboolean done = read_all(fd, data, option, standard ? "standard input" : file, left, error);
    if (!standard)
        close(fd);
    return done ? g_steal_pointer(&data) : NULL;
}

/* *text stays NULL without the option. */
static gboolean read_text(const Cli *cli, const char *option, gsize *left, char **text,
                          GError **error)
{
    const char *file = command_option(cli, option);

    if (!file)
        return TRUE;
    g_autoptr(GByteArray) data = send_file_read(option, file, left, error);
    if (!data)
        return FALSE;
    if (!g_utf8_validate((const char *)data->data, data->len, NULL))
        return wrong(error, option, "is not text in UTF-8");
    *text = g_strndup((const char *)data->data, data->len);
    return TRUE;
}

static gboolean check_options(const Cli *cli, GError **error)
{
    for (guint i = 0; i < cli->n_options; i++)
        if (cli->options[i].text && !g_utf8_validate(cli->options[i].text, -1, NULL))
            return wrong(error, cli->options[i].option, "is not text in UTF-8");
    const char *text = command_option(cli, "text"), *html = command_option(cli, "html");
    if (text && html && g_str_equal(text, "-") && g_str_equal(html, "-"))
        return wrong(error, "html", "standard input is the text already");
    const char *tag = command_option(cli, "tag");
    if (tag && g_utf8_strlen(tag, -1) > SUBMISSION_TAG_MAX)
        return wrong(error, "tag",
                     "may have " G_STRINGIFY(SUBMISSION_TAG_MAX) " characters at most");
    return TRUE;
}

static GPtrArray *read_list(const Cli *cli, const char *option, guint max, GError **error)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify)addressee_free);
    const char *text;

    for (guint i = 0; (text = command_option_nth(cli, option, i)); i++)
        if (!addressees_add(list, option, text, max, error))
            return NULL;
    return g_steal_pointer(&list);
}

static gboolean read_headers(const Cli *cli, Letter *letter, GError **error)
{
    const char *text;

    letter->headers = mime_fields_new();
    for (guint i = 0; (text = command_option_nth(cli, "header", i)); i++) {
        const char *colon = strchr(text, ':');
        g_autofree char *name = g_strndup(text, colon ? (gsize)(colon - text) : 0);
        if (!compose_name_is_good(name))
            return wrong(error, "header",
                         "must be NAME:VALUE, with a name that a header field may have");
        if (!letter_takes_header(letter, name))
            return wrong(error, "header",
                         "Outrider writes the field of that name itself, or has an option for it");
        g_autofree char *value = g_strstrip(g_strdup(colon + 1));
        mime_fields_add(letter->headers, name, value);
    }
    return TRUE;
}

/* FILE, or FILE:TYPE/SUBTYPE where no file has that whole name. */
static char *split_type(const char *text, const char **type)
{
    const char *colon = strrchr(text, ':');
    const char *slash = colon ? strchr(colon, '/') : NULL;

    *type = LETTER_FILE_TYPE;
    if (!slash || slash == colon + 1 || !slash[1] || strchr(slash + 1, '/') ||
        access(text, F_OK) == 0)
        return g_strdup(text);
    *type = colon + 1;
    return g_strndup(text, (gsize)(colon - text));
}

static gboolean read_files(const Cli *cli, Letter *letter, gsize *left, GError **error)
{
    const char *text, *type;

    letter->files = g_ptr_array_new_with_free_func((GDestroyNotify)mime_file_free);
    for (guint i = 0; (text = command_option_nth(cli, "attach", i)); i++) {
        g_autofree char *path = split_type(text, &type);
        g_autoptr(GByteArray) data = send_file_read("attach", path, left, error);
        if (!data)
            return FALSE;
        MimeFile *file = g_new0(MimeFile, 1);
        g_ptr_array_add(letter->files, file);
        file->name = g_path_get_basename(path);
        file->type = g_strdup(type);
        file->data = g_byte_array_steal(data, &file->length);
        if (g_utf8_strlen(file->name, -1) > LETTER_FILE_NAME_MAX)
            return wrong(error, "attach", "the name of a file is too long");
    }
    return TRUE;
}

Letter *send_letter_read(const Cli *cli, gsize max, GError **error)
{
    g_autoptr(Letter) letter = g_new0(Letter, 1);
    gsize left = max;

    if (!check_options(cli, error) ||
        !(letter->to = read_list(cli, "to", LETTER_LIST_MAX, error)) ||
        !(letter->cc = read_list(cli, "cc", LETTER_LIST_MAX, error)) ||
        !(letter->bcc = read_list(cli, "bcc", LETTER_LIST_MAX, error)) ||
        !read_headers(cli, letter, error) || !read_text(cli, "text", &left, &letter->text, error) ||
        !read_text(cli, "html", &left, &letter->html, error) ||
        !read_files(cli, letter, &left, error))
        return NULL;
    letter->from = g_strdup(command_option(cli, "from"));
    letter->sender = g_strdup(command_option(cli, "sender"));
    letter->reply_to = g_strdup(command_option(cli, "reply-to"));
    letter->subject = g_strdup(command_option(cli, "subject"));
    letter->tag = g_strdup(command_option(cli, "tag"));
    letter->bounce = command_option(cli, "bounce") != NULL;
    return g_steal_pointer(&letter);
}

static gboolean read_envelope(const Cli *cli, Submission *submission, GError **error)
{
    const char *from = command_option(cli, "from"), *tag = command_option(cli, "tag");
    g_autoptr(Addressee) sender = from ? addressee_read(from) : NULL;
    g_autoptr(GPtrArray) list = read_list(cli, "to", SUBMISSION_RECIPIENTS_MAX, error);

    if (!list)
        return FALSE;
    if (!sender)
        return wrong(error, "from", "is no address");
    for (guint i = 0; i < list->len; i++) {
        const Addressee *one = list->pdata[i];
        if (!submission_add(submission, one->written, one->address))
            return wrong(error, "to", "has too many addresses");
    }
    submission->mail_from = g_strdup(command_option(cli, "bounce") ? "" : sender->address);
    submission->tag = tag && *tag ? g_strdup(tag) : NULL;
    return TRUE;
}

Submission *send_raw_read(const Cli *cli, gsize max, GError **error)
{
    static const char *const others[] = {"cc",   "bcc",  "sender", "reply-to", "subject",
                                         "text", "html", "attach", "header"};
    g_autoptr(Submission) submission = submission_new();
    g_autoptr(GError) why = NULL;
    gsize left = max;

    for (guint i = 0; i < G_N_ELEMENTS(others); i++)
        if (command_option(cli, others[i]))
            return wrong(error, others[i], "a whole message (--raw) has its own"), NULL;
    if (!check_options(cli, error) || !read_envelope(cli, submission, error))
        return NULL;
    g_autoptr(GByteArray) data = send_file_read("raw", command_option(cli, "raw"), &left, error);
    if (!data)
        return NULL;
    if (raw_read((const char *)data->data, data->len, submission, &why))
        return g_steal_pointer(&submission);
    return wrong(error, "raw", why->message), NULL;
}
