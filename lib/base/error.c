/* SPDX-License-Identifier: MIT */
#include "lib/base/error.h"

#include <errno.h>

G_DEFINE_QUARK(outrider - error - quark, outrider_error)

static const ErrorAnswer answers[] = {
#define X(name, smtp, dsn, action, exit_status, http)                                              \
    [ERROR_CLASS_##name] = {#name, smtp, dsn, action, exit_status, http},
#include "lib/base/error_class.def"
#undef X
};

static const struct {
    const char *name;
    ErrorClass class;
} codes[] = {
#define X(name, class, meaning) [OUTRIDER_ERROR_##name] = {#name, ERROR_CLASS_##class},
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
    return is_ours(error) ? codes[error->code].class : ERROR_CLASS_TEMPORARY;
}

const ErrorAnswer *error_answer(const GError *error)
{
    return &answers[error_class(error)];
}

const char *error_name(const GError *error)
{
    return is_ours(error) ? codes[error->code].name : "UNKNOWN";
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
