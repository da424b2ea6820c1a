/* SPDX-License-Identifier: MIT */
#include "lib/journal/journal.h"

const char *journal_program_name(JournalProgram program)
{
    static const char *const names[] = {
#define X(NAME, name, user) [JOURNAL_OF_##NAME] = (name),
#include "lib/journal/program.def"
#undef X
    };

    return names[program];
}

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
