/* SPDX-License-Identifier: MIT */
#include "lib/mailauth/field_rule.h"

#include <string.h>

const FieldRule field_rules[] = {
#define X(name, oversign) {name, oversign},
#include "lib/mailauth/dkim_field.def"
#undef X
};

const guint field_rules_count = G_N_ELEMENTS(field_rules);

guint field_rules_covering(const char *name)
{
    guint n = 0;

    for (guint i = 0; i < field_rules_count; i++)
        n += field_rule_covers(&field_rules[i], name);
    return n;
}

gboolean field_rule_covers(const FieldRule *rule, const char *name)
{
    gsize length = strlen(rule->name);

    if (g_ascii_strncasecmp(rule->name, name, length) != 0)
        return FALSE;
    return name[length + strspn(name + length, " \t")] == '\0';
}
