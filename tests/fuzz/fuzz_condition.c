/* SPDX-License-Identifier: MIT */
/* Conditions of rules, and the file of lanes that a node serves: what is taken reads back as it is written; an
 * address holds for its own condition. */
#include <glib.h>
#include <string.h>

#include "lib/base/condition.h"
#include "lib/edge/lane_served.h"
#include "tests/fuzz/fuzz.h"

unsigned fuzz_reached;

static void check_conditions(const char *text)
{
    const char *wrong = NULL;
    g_autofree char *list = condition_list_read(text, &wrong);

    if (!list && !wrong)
        g_error("refused without a reason");
    condition_list_match("a.test,b@c.test", text);
    if (!list)
        return;
    g_autofree char *again = condition_list_read(list, &wrong);
    if (g_strcmp0(list, again) != 0)
        g_error("%s reads back as %s", list, again);
    g_auto(GStrv) words = g_strsplit(list, ",", -1);
    for (guint i = 0; words[i]; i++)
        if (strchr(words[i], '@') && !condition_list_match(list, words[i]))
            g_error("%s does not hold for itself", words[i]);
    fuzz_reached++;
}

static void check_served(const char *text)
{
    g_autoptr(GArray) lanes = lane_served_parse(text, NULL);

    if (!lanes)
        return;
    g_autofree char *written = lane_served_render(lanes);
    g_autoptr(GArray) again = lane_served_parse(written, NULL);
    if (!again || again->len != lanes->len)
        g_error("lanes do not read back");
    fuzz_reached++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);

    if (g_utf8_validate(text, -1, NULL))
        check_conditions(text);
    check_served(text);
    return 0;
}
