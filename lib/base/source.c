/* SPDX-License-Identifier: MIT */
#include "lib/base/source.h"

#include <errno.h>
#include <string.h>

#include "lib/base/error.h"

static gssize read_memory(gconstpointer octets, gsize at, void *to, gsize room)
{
    memcpy(to, (const char *)octets + at, room);
    return (gssize)room;
}

Source source_of(const void *octets, gsize length)
{
    return (Source){.read = read_memory, .context = octets, .length = length};
}

gsize source_read(Source *source, gsize at, void *to, gsize room)
{
    gsize have = 0;

    room = at < source->length ? MIN(room, source->length - at) : 0;
    while (have < room && !source->failed) {
        gssize n = source->read(source->context, at + have, (char *)to + have, room - have);
        if (n > 0)
            have += (gsize)n;
        else if (n == 0 || errno != EINTR)
            source->failed = n == 0 ? EIO : errno; /* it has become shorter */
    }
    return have;
}

gboolean source_is_whole(const Source *source, const char *what, GError **error)
{
    return source->failed == 0 || error_set_errno(error, source->failed, "read", what);
}
