/* SPDX-License-Identifier: MIT */
#include "lib/submission/v1_error.h"

const V1ErrorWords *v1_error_words(V1Error name)
{
    static const V1ErrorWords words[] = {
        {0},
#define X(name, http, status, code, message) {http, status, code, message},
#include "lib/submission/v1_error.def"
#undef X
    };

    g_assert(name > V1_ERROR_NONE && name < V1_ERROR_COUNT);
    return &words[name];
}
