/* SPDX-License-Identifier: MIT */
#include "lib/journal/journal.h"

const char *event_name(guint16 type)
{
    static const struct {
        guint16 number;
        const char *name;
    } events[] = {
#define X(number, NAME, name, fields) {number, name},
#include "lib/journal/event.def"
#undef X
    };

    for (guint i = 0; i < G_N_ELEMENTS(events); i++)
        if (events[i].number == type)
            return events[i].name;
    return NULL;
}
