/* SPDX-License-Identifier: MIT */
#include "milters/refusal.h"

#include "lib/base/error.h"

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

RefusalName refusal_of_trouble(const GError *error)
{
    return g_error_matches(error, OUTRIDER_ERROR, OUTRIDER_ERROR_NO_SPACE) ? REFUSAL_SPACE
                                                                           : REFUSAL_INTERNAL;
}
