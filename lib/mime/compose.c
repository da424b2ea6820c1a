/* SPDX-License-Identifier: MIT */
#include "lib/mime/compose.h"

#include <gmime/gmime.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/mime/field.h"
#include "lib/mime/mailbox.h"
#include "lib/mime/start.h"
#include "lib/mime/word.h"

#define LINE           78
#define WORD           75  /* octets of an encoded word, RFC 2047 section 2 */
#define UNBROKEN       900 /* octets without white space that still fit a line */
#define WORD_HEAD      "=?UTF-8?"
#define FRAME          (sizeof(WORD_HEAD) - 1 + 4) /* Q, two question marks and = */
#define TYPE_MAX       127                         /* RFC 6838 section 4.2 */
#define PARAMETERS_MAX 8                           /* of a type, as they came */

gboolean compose_name_is_good(const char *name)
{
    gsize length = strlen(name);

    for (const char *p = name; *p; p++)
        if (!g_ascii_isgraph(*p) || *p == ':')
            return FALSE;
    return length >= 1 && length <= COMPOSE_NAME_MAX;
}

static gboolean is_blank(char c)
{
    return (guchar)c <= ' ' || c == 0x7f;
}

/* White space with a control character in it becomes a single space; there is none at the ends. g_free. */
static char *flatten(const char *text)
{
    GString *flat = g_string_sized_new(strlen(text));

    while (*text) {
        gsize blanks = 0, word = 0;
        while (text[blanks] && is_blank(text[blanks]))
            blanks++;
        while (text[blanks + word] && !is_blank(text[blanks + word]))
            word++;
        if (flat->len > 0 && word > 0) {
            if (strspn(text, " ") == blanks)
                g_string_append_len(flat, text, (gssize)blanks);
            else
                g_string_append_c(flat, ' ');
        }
        g_string_append_len(flat, text + blanks, (gssize)word);
        text += blanks + word;
    }
    return g_string_free(flat, FALSE);
}

static gboolean is_ascii(const char *text)
{
    for (; *text; text++)
        if (!g_ascii_isprint(*text))
            return FALSE;
    return TRUE;
}

/* A word with the blanks before it. */
static gsize stretch_of(const char *text)
{
    gsize blanks = strspn(text, " ");

    return blanks + strcspn(text + blanks, " ");
}

/* Whether some stretch that cannot be folded is longer than a line may be. */
static gboolean is_unbroken(const char *text)
{
    for (; *text; text += stretch_of(text))
        if (stretch_of(text) > UNBROKEN)
            return TRUE;
    return FALSE;
}

/* What may stand for itself in a word wherever it is, RFC 2047 section 5 (3). */
static gboolean is_plain(char c)
{
    return g_ascii_isalnum(c) || (c && strchr("!*+-/", c));
}

static gsize quoted_length(const char *text, gsize length)
{
    gsize sum = 0;

    for (gsize i = 0; i < length; i++)
        sum += is_plain(text[i]) || text[i] == ' ' ? 1 : 3;
    return sum;
}

static void append_quoted(GString *out, const char *text, gsize length)
{
    for (gsize i = 0; i < length; i++) {
        if (is_plain(text[i]))
            g_string_append_c(out, text[i]);
        else if (text[i] == ' ')
            g_string_append_c(out, '_');
        else
            g_string_append_printf(out, "=%02X", (guchar)text[i]);
    }
}

/* How many octets of text, whole characters, fit a word of that room; at least one character. */
static gsize fitting(const char *text, gboolean base64, gsize room)
{
    gsize length = 0;

    for (const char *next = text; *next;) {
        next += g_utf8_skip[(guchar)*next];
        gsize now = (gsize)(next - text);
        gsize size = base64 ? (now + 2) / 3 * 4 : quoted_length(text, now);
        if (length && size > room)
            break;
        length = now;
    }
    return length;
}

/* Octets of the last line of what is written, of which name takes that many before it. */
static gsize column(const GString *out, gsize before)
{
    const char *end = memrchr(out->str, '\n', out->len);

    return end ? (gsize)(out->str + out->len - (end + 1)) : before + out->len;
}

/* out ends with the white space that the first word stands behind. */
static void append_words(GString *out, gsize before, const char *text)
{
    gsize length = strlen(text);
    gboolean base64 = quoted_length(text, length) > (length + 2) / 3 * 4;

    for (gboolean first = TRUE; *text; first = FALSE) {
        if (!first || column(out, before) + FRAME + 16 > WORD)
            g_string_append(out, "\r\n ");
        gsize room = WORD - MIN(column(out, before), WORD - FRAME - 12) - FRAME;
        gsize part = fitting(text, base64, room);
        g_string_append_printf(out, WORD_HEAD "%c?", base64 ? 'B' : 'Q');
        if (base64) {
            g_autofree char *octets = g_base64_encode((const guchar *)text, part);
            g_string_append(out, octets);
        } else {
            append_quoted(out, text, part);
        }
        g_string_append(out, "?=");
        text += part;
    }
}

/* Lines end before the blanks of a word that would not fit. */
static void append_folded(GString *out, gsize before, const char *text)
{
    for (; *text; text += stretch_of(text)) {
        gsize stretch = stretch_of(text);
        if (*text == ' ' && column(out, before) + stretch > LINE)
            g_string_append(out, "\r\n");
        g_string_append_len(out, text, (gssize)stretch);
    }
}

char *compose_text(const char *name, const char *text)
{
    g_autofree char *flat = flatten(text);
    GString *out = g_string_new(" ");
    gsize before = strlen(name) + 1;

    if (is_ascii(flat) && !is_unbroken(flat))
        append_folded(out, before, flat);
    else
        append_words(out, before, flat);
    return g_string_free(out, FALSE);
}

/* Whether it is a phrase as it stands. */
static gboolean is_atoms(const char *text)
{
    if (strstr(text, "  "))
        return FALSE;
    for (; *text; text++)
        if (!g_ascii_isalnum(*text) && !strchr(" !#$%&'*+-/=?^_`{|}~", *text))
            return FALSE;
    return TRUE;
}

static void append_quoted_string(GString *out, const char *text)
{
    g_string_append_c(out, '"');
    for (const char *p = text; *p; p++) {
        if (*p == '"' || *p == '\\')
            g_string_append_c(out, '\\');
        g_string_append_c(out, *p);
    }
    g_string_append_c(out, '"');
}

static void append_phrase(GString *out, gsize before, const char *flat)
{
    /* Each octet of a quoted string may become two. */
    if (!is_ascii(flat) || strlen(flat) > UNBROKEN / 2 || strstr(flat, "=?")) {
        append_words(out, before, flat);
    } else if (is_atoms(flat)) {
        append_folded(out, before, flat);
    } else {
        append_quoted_string(out, flat);
    }
}

static void append_mailbox(GString *out, gsize before, InternetAddress *address)
{
    const char *name = internet_address_get_name(address);
    const char *addr = internet_address_mailbox_get_idn_addr(INTERNET_ADDRESS_MAILBOX(address));
    g_autofree char *display = flatten(name ? name : "");

    if (!*display) {
        g_string_append(out, addr);
        return;
    }
    append_phrase(out, before, display);
    g_string_append(out, column(out, before) + strlen(addr) + 3 > LINE ? "\r\n <" : " <");
    g_string_append_printf(out, "%s>", addr);
}

static gboolean are_same(const GPtrArray *mailboxes, const GPtrArray *others)
{
    if (!others || mailboxes->len != others->len)
        return FALSE;
    for (guint i = 0; i < mailboxes->len; i++) {
        const MimeMailbox *one = mailboxes->pdata[i], *other = others->pdata[i];
        if (!g_str_equal(one->address, other->address))
            return FALSE;
    }
    return TRUE;
}

char *compose_mailboxes(const char *name, const char *list, GError **error)
{
    g_autoptr(GPtrArray) read = mime_mailboxes_parse(list, error);

    if (!read)
        return NULL;
    /* Encoded words belong into names; where one stands elsewhere, joining it makes another list. */
    g_autofree char *plain = mime_field_text(list);
    g_autofree char *text = word_join(plain);
    g_autoptr(GPtrArray) joined = mime_mailboxes_parse(text, NULL);
    InternetAddressList *addresses = internet_address_list_parse(NULL, text);
    int count = addresses ? internet_address_list_length(addresses) : 0;
    if (!are_same(read, joined) || count != (int)read->len) {
        g_clear_object(&addresses);
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID,
                    "it has encoded words that do not stand in a name (RFC 2047 section 5)");
        return NULL;
    }
    GString *out = g_string_new(" ");
    for (int i = 0; i < count; i++) {
        if (i > 0)
            g_string_append(out, ",\r\n ");
        append_mailbox(out, strlen(name) + 1, internet_address_list_get_address(addresses, i));
    }
    g_object_unref(addresses);
    return g_string_free(out, FALSE);
}

static gboolean is_token(const char *text, gsize length)
{
    for (gsize i = 0; i < length; i++)
        if (!g_ascii_isgraph(text[i]) || strchr("()<>@,;:\\\"/[]?=", text[i]))
            return FALSE;
    return length >= 1 && length <= TYPE_MAX;
}

/* "type/subtype" in lower case; NULL: it is none that a file may have. g_free. */
static char *media_type(const char *type)
{
    g_autofree char *bare = g_strndup(type, strcspn(type, ";"));
    g_autofree char *lower = g_ascii_strdown(g_strstrip(bare), -1);
    const char *slash = strchr(lower, '/');

    if (!slash || !is_token(lower, (gsize)(slash - lower)) ||
        !is_token(slash + 1, strlen(slash + 1)) || g_str_has_prefix(lower, "multipart/") ||
        g_str_has_prefix(lower, "message/"))
        return NULL;
    return g_steal_pointer(&lower);
}

/* What can stand in a quoted string of a line of its own. */
static gboolean is_quotable(const char *text)
{
    return is_ascii(text) && strlen(text) <= TYPE_MAX;
}

/* Such as the method of a calendar's request, the first of each name; but its name is said in the disposition, and it has no parts. */
static void append_parameters(GString *value, GMimeContentType *type)
{
    static const char *const ours[] = {"charset", "name", "boundary", NULL};
    GMimeParamList *list = g_mime_content_type_get_parameters(type);
    int count = MIN(g_mime_param_list_length(list), PARAMETERS_MAX);

    for (int i = 0; i < count; i++) {
        GMimeParam *parameter = g_mime_param_list_get_parameter_at(list, i);
        const char *name = g_mime_param_get_name(parameter),
                   *text = g_mime_param_get_value(parameter);
        g_autofree char *lower = g_ascii_strdown(name, -1);
        if (g_strv_contains(ours, lower) || !is_token(name, strlen(name)) || !text ||
            !is_quotable(text) || text != g_mime_content_type_get_parameter(type, name))
            continue;
        g_string_append_printf(value, ";\r\n %s=", name);
        if (is_token(text, strlen(text)))
            g_string_append(value, text);
        else
            append_quoted_string(value, text);
    }
}

char *compose_type(const char *type, const guint8 *data, gsize length)
{
    g_autofree char *media = media_type(type);

    if (!media)
        return g_strdup(" application/octet-stream");
    mime_start();
    GMimeContentType *parsed = g_mime_content_type_parse(NULL, type);
    const char *charset = parsed ? g_mime_content_type_get_parameter(parsed, "charset") : NULL;
    gboolean text = g_str_has_prefix(media, "text/");
    GString *value = g_string_new(" ");
    g_string_append(value, media);
    if (charset && is_token(charset, strlen(charset)))
        g_string_append_printf(value, "; charset=%s", charset);
    else if (text && g_utf8_validate((const char *)data, (gssize)length, NULL))
        g_string_append(value, "; charset=UTF-8");
    if (parsed)
        append_parameters(value, parsed);
    g_clear_object(&parsed);
    return g_string_free(value, FALSE);
}

char *compose_attachment(const char *file_name)
{
    g_autofree char *flat = flatten(file_name);

    mime_start();
    GMimeFormatOptions *format = g_mime_format_options_new();
    GMimeContentDisposition *disposition = g_mime_content_disposition_new();
    g_mime_format_options_set_param_encoding_method(format, GMIME_PARAM_ENCODING_METHOD_RFC2231);
    g_mime_format_options_set_newline_format(format, GMIME_NEWLINE_FORMAT_DOS);
    g_mime_content_disposition_set_disposition(disposition, "attachment");
    g_mime_content_disposition_set_parameter(disposition, "filename", flat);
    char *value = g_mime_content_disposition_encode(disposition, format);
    g_object_unref(disposition);
    g_mime_format_options_free(format);
    return g_strchomp(value);
}
