/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the one place that knows what a valid permalink, domain, address, HELO name, ... is.
 * Used by: lib/directory; the API and the CLI for what they check before.
 * May touch: nothing.
 * Threads: any.
 * Limits: what is read is at most VALUE_TEXT_MAX octets of valid UTF-8 without control characters.
 */
#pragma once

#include <glib.h>

#define VALUE_TEXT_MAX      4096
#define VALUE_PERMALINK_MAX 63
#define VALUE_TITLE_MAX     255 /* characters */
#define VALUE_WEIGHT_MAX    100
#define VALUE_LOGIN_MAX     255 /* octets; of a path, too */

typedef enum {
    VALUE_ORGANIZATION_PERMALINK, /* a-z 0-9 hyphen, 1 to 63, no reserved word */
    VALUE_SERVER_PERMALINK,
    VALUE_POOL_NAME,
    VALUE_TITLE,           /* 1 to 255 characters */
    VALUE_SUSPEND,         /* the same, and a time stamp beside it */
    VALUE_RESUME,          /* clears both */
    VALUE_MODE,            /* live, development */
    VALUE_CREDENTIAL_TYPE, /* smtp, api, smtp-ip */
    VALUE_YESNO,
    VALUE_SET,    /* switch: yes */
    VALUE_UNSET,  /* switch: no */
    VALUE_STAMP,  /* switch: now */
    VALUE_CLEAR,  /* switch: NULL */
    VALUE_SWITCH, /* no column */
    VALUE_POOL,   /* name of a pool, or none */
    VALUE_DOMAIN, /* two labels or more; IDN becomes A-labels */
    VALUE_HELO,   /* the same rule */
    VALUE_DATE,   /* YYYY-MM-DD in the future, or never: seconds */
    VALUE_IPV4,   /* canonical text; unicast */
    VALUE_IPV6,   /* canonical text, or none */
    VALUE_WEIGHT, /* 0 to 100 */
    VALUE_SMARTHOST_NAME,
    VALUE_SMARTHOST,  /* name of a smart host, or none */
    VALUE_OWNER,      /* ORG or ORG/SERVER */
    VALUE_HOST,       /* a domain name, or an address */
    VALUE_PORT,       /* 1 to 65535 */
    VALUE_TLS,        /* none, may, encrypt, verify */
    VALUE_LOGIN,      /* 1 to 255 octets without white space and colon, or none */
    VALUE_FILE,       /* absolute path, or none */
    VALUE_CONDITIONS, /* of lib/base/condition.h */
    VALUE_NETWORKS,   /* lists, or none: lib/directory/value_list.h */
    VALUE_SENDERS,
    VALUE_LINK_DOMAINS,
    VALUE_SENDING_DOMAIN, /* name of a domain of the directory, or none */
    VALUE_SUPPRESSION,    /* hold, refuse */
    VALUE_FALLBACK,       /* default, defer */
    VALUE_RECIPIENT,      /* an address, or @ and a domain, as suppressions have them */
    VALUE_ROUTE_ADDRESS,  /* from here to MAILBOX: lib/directory/value_route.h */
    VALUE_ROUTE_MODE,     /* of lib/edge/route_mode.def */
    VALUE_ROUTE_SPAM,     /* of lib/edge/route_spam.def */
    VALUE_ENDPOINT_NAME,  /* 1 to 255 characters, no comma */
    VALUE_URL,            /* http or https, no user, 2,000 octets */
    VALUE_ENCODING,       /* json, form */
    VALUE_FORMAT,         /* hash, raw */
    VALUE_TIMEOUT,        /* 5 to 60 seconds */
    VALUE_SMTP_PLACE,     /* HOST[:PORT] */
    VALUE_LMTP_PLACE,     /* the same, or the path of a socket */
    VALUE_MAILBOX,        /* an address */
    VALUE_ENDPOINTS,      /* a list of endpoints' names */
    VALUE_MOMENT,         /* YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ in the future, or never: seconds */
} ValueKind;

typedef struct {
    enum { VALUE_IS_NULL, VALUE_IS_TEXT, VALUE_IS_UNSIGNED, VALUE_IS_INT } is;
    gint64 number;
    char *text;
} Value;

void value_clear(Value *value);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Value, value_clear)

/* Reads text as kind says. field names it in the error (INVALID: "field: \"got\": what is allowed").
 * now (Unix seconds) serves STAMP and DATE. VALUE_POOL, SMARTHOST, OWNER and SENDING_DOMAIN yield the name as text: the
 * caller looks it up. value is untouched on failure, else its old content is freed. */
gboolean value_read(ValueKind kind, const char *field, const char *text, gint64 now, Value *value,
                    GError **error);

/* Text from outside as it may stand in a message: quoted, escaped, at most 60 octets. g_free. */
char *value_quote(const char *text);
