/* SPDX-License-Identifier: MIT */
#include "milters/refusal.h"

#include <glib.h>

const Refusal *refusal_words(RefusalName name)
{
    static const Refusal words[] = {
        {0},
#define X(name, code, enhanced, text, rule) {code, enhanced, text, rule},
#include "milters/refusal.def"
#undef X
    };

    g_assert(name > REFUSAL_NONE && name < REFUSAL_COUNT);
    return &words[name];
}
