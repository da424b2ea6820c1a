/* SPDX-License-Identifier: MIT */
#include "lib/directory/usage.h"

const char *usage_label(gint64 last_used_at, gint64 now)
{
    static const struct {
        int months;
        const char *label;
    } ages[] = {{12, "Inactive"}, {6, "Dormant"}, {1, "Quiet"}};
    g_autoptr(GDateTime) today = g_date_time_new_from_unix_utc(now);

    if (last_used_at == 0)
        return "Unused";
    for (guint i = 0; today && i < G_N_ELEMENTS(ages); i++) {
        g_autoptr(GDateTime) then = g_date_time_add_months(today, -ages[i].months);
        if (then && last_used_at < g_date_time_to_unix(then))
            return ages[i].label;
    }
    return "Active";
}
