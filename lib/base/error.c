/* SPDX-License-Identifier: MIT */
#include "lib/base/error.h"

#include <errno.h>

G_DEFINE_QUARK(outrider - error - quark, outrider_error)

static const ErrorClass classes[] = {
#define X(name, class, meaning) [OUTRIDER_ERROR_##name] = ERROR_CLASS_##class,
#include "lib/base/error.def"
#undef X
};

static gboolean is_ours(const GError *error)
{
    return error && error->domain == OUTRIDER_ERROR && error->code >= 0 &&
           error->code < OUTRIDER_ERROR_COUNT;
}

ErrorClass error_class(const GError *error)
{
    return is_ours(error) ? classes[error->code] : ERROR_CLASS_TEMPORARY;
}

gboolean error_set_errno(GError **error, int errnum, const char *what, const char *path)
{
    OutriderError code = OUTRIDER_ERROR_IO;

    if (errnum == ENOSPC || errnum == EDQUOT)
        code = OUTRIDER_ERROR_NO_SPACE;
    else if (errnum == ENOENT)
        code = OUTRIDER_ERROR_NOT_FOUND;
    g_set_error(error, OUTRIDER_ERROR, (int)code, "%s %s: %s", what, path, g_strerror(errnum));
    return FALSE;
}
