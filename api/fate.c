/* SPDX-License-Identifier: MIT */
#include "api/fate.h"

Fate fate_of(const char *status, gint64 quiet, gint64 told)
{
    if (g_strcmp0(status, "Aborted") == 0)
        return FATE_NOT_TAKEN;
    if (status)
        return g_str_equal(status, "Accepting") ? FATE_OPEN : FATE_TAKEN;
    return quiet >= FATE_SETTLED_SECONDS * G_USEC_PER_SEC && told >= 0 &&
                   told <= FATE_LAG_SECONDS * G_USEC_PER_SEC
               ? FATE_NOT_TAKEN
               : FATE_OPEN;
}
