/* SPDX-License-Identifier: MIT */
#include "lib/admission/form.h"

#include "lib/mailauth/dkim_sign.h"
#include "lib/mailauth/field_rule.h"
#include "lib/mime/field.h"

#define FIELDS_ADDED 4 /* at most: MIME-Version, Content-Transfer-Encoding, Date, Message-ID */

gboolean form_is_signable(const GPtrArray *fields)
{
    guint covered = FIELDS_ADDED;

    if (fields->len + FIELDS_ADDED <= DKIM_FIELDS_MAX)
        return TRUE;
    for (guint i = 0; i < fields->len; i++) {
        const MimeField *field = fields->pdata[i];
        covered += field_rules_covering(field->name);
    }
    return covered <= DKIM_FIELDS_MAX;
}
