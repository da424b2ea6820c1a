/* SPDX-License-Identifier: MIT */
/*
 * GMime reads what people write, and forgives; a rule about who may write as whom must not. So the
 * text is first scanned for a shape with one reading only (quotes, comments and brackets balanced,
 * `@` where an address has it), then GMime parses it, and both must find the same number.
 */
#include "lib/mime/mailbox.h"

#include <gmime/gmime.h>
#include <string.h>

#include "lib/base/address.h"
#include "lib/base/error.h"
#include "lib/mime/field.h"
#include "lib/mime/start.h"

void mime_mailbox_free(MimeMailbox *mailbox)
{
    if (!mailbox)
        return;
    g_free(mailbox->address);
    g_free(mailbox->domain);
    g_free(mailbox);
}

/* What one mailbox of the list has shown so far. */
typedef struct {
    guint at;          /* `@` outside quotes and comments */
    guint angle;       /* angle addresses */
    gboolean inside;   /* between < and > */
    gboolean spoken;   /* something stands there besides comments */
    guint mailboxes;   /* ended so far */
    guint at_in_angle; /* `@` between < and > */
} Shape;

static gboolean mailbox_ends(Shape *shape)
{
    gboolean good = shape->spoken && !shape->inside && shape->at == 1 &&
                    (shape->angle == 0 || (shape->angle == 1 && shape->at_in_angle == 1));

    *shape = (Shape){.mailboxes = shape->mailboxes + 1};
    return good && shape->mailboxes <= MIME_MAILBOX_MAX;
}

/* The end of a quoted string, domain literal or comment that begins at p; NULL: it has none. */
static const char *skip_enclosed(const char *p, char close)
{
    char open = *p++;
    guint depth = 1;

    for (; *p; p++) {
        if (*p == '\\') {
            if (!*++p)
                return NULL;
        } else if (*p == close) {
            if (--depth == 0)
                return p;
        } else if (*p == open && (open == '[' || ++depth > MIME_COMMENT_DEPTH_MAX)) {
            return NULL;
        }
    }
    return NULL;
}

static gboolean take_special(Shape *shape, char c)
{
    switch (c) {
    case '<':
        shape->inside = TRUE;
        return shape->angle++ == 0 && shape->at == 0;
    case '>':
        if (!shape->inside)
            return FALSE;
        shape->inside = FALSE;
        return TRUE;
    case '@':
        shape->at_in_angle += shape->inside;
        shape->at++;
        return TRUE;
    case ',':
        return !shape->inside && mailbox_ends(shape);
    default: /* : ; \ ) ] begin or end what is not there */
        return FALSE;
    }
}

/* How many mailboxes the text has when it can be read in one way only, else 0. */
static guint count_shape(const char *text)
{
    Shape shape = {0};

    for (const char *p = text; *p; p++) {
        if (*p == ' ' || *p == '\t')
            continue;
        if ((guchar)*p < ' ' || *p == 0x7f)
            return 0;
        if (*p == '(') {
            if (!(p = skip_enclosed(p, ')')))
                return 0;
            continue;
        }
        if (shape.angle && !shape.inside && *p != ',')
            return 0;
        shape.spoken = TRUE;
        if (*p == '"' || *p == '[') {
            if (!(p = skip_enclosed(p, *p == '"' ? '"' : ']')))
                return 0;
        } else if (strchr("<>@,:;\\)]", *p) && !take_special(&shape, *p)) {
            return 0;
        }
    }
    return mailbox_ends(&shape) ? shape.mailboxes : 0;
}

/* A quoted string may hold what no command and no log line may (RFC 5321 section 4.1.2). */
static gboolean has_control(const char *text)
{
    for (; *text; text++)
        if (g_ascii_iscntrl(*text))
            return TRUE;
    return FALSE;
}

static MimeMailbox *mailbox_new(InternetAddress *address)
{
    if (!INTERNET_ADDRESS_IS_MAILBOX(address))
        return NULL;

    const char *addr = internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(address));
    const char *at = addr ? strrchr(addr, '@') : NULL;

    if (!at || at == addr || !at[1] || strlen(addr) > MIME_ADDRESS_MAX || strpbrk(at + 1, " \t") ||
        has_control(addr) || !g_utf8_validate(addr, -1, NULL))
        return NULL;
    MimeMailbox *mailbox = g_new(MimeMailbox, 1);
    g_autofree char *local = g_strndup(addr, (gsize)(at - addr));
    g_autofree char *domain = g_ascii_strdown(at + 1, -1);
    mailbox->address = g_strconcat(local, "@", domain, NULL);
    mailbox->domain = address_domain_form(domain);
    if (!mailbox->domain)
        mailbox->domain = g_steal_pointer(&domain);
    return mailbox;
}

static GPtrArray *parse_shaped(const char *text, guint count)
{
    mime_start();
    InternetAddressList *list = internet_address_list_parse(NULL, text);
    g_autoptr(GPtrArray) mailboxes =
        g_ptr_array_new_with_free_func((GDestroyNotify)mime_mailbox_free);
    int length = list ? internet_address_list_length(list) : 0;

    for (int i = 0; i < length; i++) {
        MimeMailbox *mailbox = mailbox_new(internet_address_list_get_address(list, i));
        if (!mailbox)
            break;
        g_ptr_array_add(mailboxes, mailbox);
    }
    g_clear_object(&list);
    return mailboxes->len == count && length == (int)count ? g_steal_pointer(&mailboxes) : NULL;
}

GPtrArray *mime_mailboxes_parse(const char *value, GError **error)
{
    GPtrArray *mailboxes = NULL;

    if (strlen(value) <= MIME_MAILBOX_VALUE_MAX) {
        g_autofree char *text = mime_field_text(value);
        guint count = count_shape(text);
        mailboxes = count ? parse_shaped(text, count) : NULL;
    }
    if (!mailboxes)
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID,
                    "not a list of 1 to %d mailboxes in %d octets (RFC 5322 section 3.4)",
                    MIME_MAILBOX_MAX, MIME_MAILBOX_VALUE_MAX);
    return mailboxes;
}
