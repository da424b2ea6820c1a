/* SPDX-License-Identifier: MIT */
#include "lib/base/id.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/error.h"

/* The file holds the next free word: seconds << 14 | sequence, in the machine's byte order; it
 * never leaves the machine. */
typedef _Atomic guint64 IdWord;

struct IdSource {
    IdWord *word;
    unsigned node;
};

#define WORD_MAX ((G_GUINT64_CONSTANT(1) << (31 + ID_SEQUENCE_BITS)) - 1)

static gboolean map_word(IdSource *source, int fd, const char *path, GError **error)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return error_set_errno(error, errno, "stat", path);
    /* Its block is there before it is mapped: a store that finds no space would be a SIGBUS. */
    int extended = st.st_size == 0 ? posix_fallocate(fd, 0, sizeof(IdWord)) : 0;
    if (extended != 0)
        return error_set_errno(error, extended, "extend", path);
    if (st.st_size != 0 && st.st_size != sizeof(IdWord)) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_CORRUPT,
                    "%s: %jd bytes where an id file has %zu", path, (intmax_t)st.st_size,
                    sizeof(IdWord));
        return FALSE;
    }
    void *memory = mmap(NULL, sizeof(IdWord), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
        return error_set_errno(error, errno, "map", path);
    source->word = memory;
    return TRUE;
}

IdSource *id_source_open(const char *path, unsigned node, GError **error)
{
    if (node < 1 || node > ID_NODE_MAX) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID,
                    "node id %u: allowed are 1 to %d", node, ID_NODE_MAX);
        return NULL;
    }
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0660);
    if (fd < 0) {
        error_set_errno(error, errno, "open", path);
        return NULL;
    }
    g_autoptr(IdSource) source = g_new0(IdSource, 1);
    source->node = node;
    gboolean mapped = map_word(source, fd, path, error);
    close(fd);
    return mapped ? g_steal_pointer(&source) : NULL;
}

void id_source_close(IdSource *source)
{
    if (!source)
        return;
    if (source->word)
        munmap(source->word, sizeof(IdWord));
    g_free(source);
}

guint64 id_reserve(IdSource *source, guint count, gint64 now)
{
    g_return_val_if_fail(count >= 1 && count <= ID_BLOCK_MAX, 0);

    guint64 floor = now > ID_EPOCH ? (guint64)(now - ID_EPOCH) << ID_SEQUENCE_BITS : 1;
    guint64 last = atomic_load(source->word);
    guint64 first;
    do {
        first = MAX(last, floor);
        if (first > WORD_MAX - count)
            return 0;
    } while (!atomic_compare_exchange_weak(source->word, &last, first + count));
    return first << ID_NODE_BITS | source->node;
}

guint64 id_at(guint64 base, guint index)
{
    return base + ((guint64)index << ID_NODE_BITS);
}

gint64 id_seconds(guint64 id)
{
    return (gint64)(id >> ID_SECONDS_SHIFT) + ID_EPOCH;
}

unsigned id_node(guint64 id)
{
    return (unsigned)(id & ID_NODE_MAX);
}

guint64 id_floor(gint64 unix_seconds)
{
    return unix_seconds > ID_EPOCH ? (guint64)(unix_seconds - ID_EPOCH) << ID_SECONDS_SHIFT : 0;
}

gboolean id_parse(const char *text, guint64 *id)
{
    guint64 value;

    if (!g_ascii_string_to_unsigned(text, 10, 1, ID_MAX, &value, NULL))
        return FALSE;
    *id = value;
    return TRUE;
}
