/* SPDX-License-Identifier: MIT */
#include "lib/edge/lane_served.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "lib/base/error.h"

struct LaneServed {
    char *path;
    GMutex lock;
    struct stat seen; /* of the file that lanes are from */
    GArray *lanes;    /* NULL: there was none */
};

static int compare(gconstpointer a, gconstpointer b)
{
    guint32 x = *(const guint32 *)a, y = *(const guint32 *)b;

    return x < y ? -1 : x > y;
}

GArray *lane_served_parse(const char *text, GError **error)
{
    g_autoptr(GArray) lanes = g_array_new(FALSE, FALSE, sizeof(guint32));
    g_auto(GStrv) lines = g_strsplit(text, "\n", LANE_SERVED_MAX * 2);

    for (guint i = 0; lines[i]; i++) {
        guint64 number;
        if (!*lines[i] || *lines[i] == '#')
            continue;
        if (lanes->len == LANE_SERVED_MAX ||
            !g_ascii_string_to_unsigned(lines[i], 10, 1, G_MAXUINT32, &number, NULL)) {
            g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID,
                        LANE_SERVED_FILE ": line %u: allowed are %d lane numbers", i + 1,
                        LANE_SERVED_MAX);
            return NULL;
        }
        guint32 lane = (guint32)number;
        g_array_append_val(lanes, lane);
    }
    g_array_sort(lanes, compare);
    return g_steal_pointer(&lanes);
}

char *lane_served_render(const GArray *lanes)
{
    GString *text = g_string_new("# Written by `outrider postfix apply': the lanes that this node "
                                 "has transports for.\n");

    for (guint i = 0; i < lanes->len; i++)
        g_string_append_printf(text, "%u\n", g_array_index(lanes, guint32, i));
    return g_string_free(text, FALSE);
}

GArray *lane_served_read(const char *path, GError **error)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) why = NULL;

    if (g_file_get_contents(path, &text, NULL, &why))
        return lane_served_parse(text, error);
    if (!g_error_matches(why, G_FILE_ERROR, G_FILE_ERROR_NOENT))
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE, "%s", why->message);
    return NULL;
}

gboolean lane_served_has(const GArray *lanes, guint32 lane)
{
    return !lanes || bsearch(&lane, lanes->data, lanes->len, sizeof(guint32), compare) != NULL;
}

LaneServed *lane_served_open(const Config *config)
{
    LaneServed *served = g_new0(LaneServed, 1);

    served->path = config_path(config, CONFIG_POSTFIX_CONFIG_DIR, "outrider/" LANE_SERVED_FILE);
    g_mutex_init(&served->lock);
    return served;
}

void lane_served_close(LaneServed *served)
{
    if (!served)
        return;
    g_clear_pointer(&served->lanes, g_array_unref);
    g_mutex_clear(&served->lock);
    g_free(served->path);
    g_free(served);
}

static gboolean is_same(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

GArray *lane_served_now(LaneServed *served, GError **error)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&served->lock);
    struct stat now = {0};

    if (stat(served->path, &now) < 0 && errno != ENOENT) {
        error_set_errno(error, errno, "look at", served->path);
        return NULL;
    }
    if (!is_same(&now, &served->seen)) {
        g_autoptr(GError) why = NULL;
        GArray *lanes = lane_served_read(served->path, &why);
        if (why) {
            g_propagate_error(error, g_steal_pointer(&why));
            return NULL;
        }
        g_clear_pointer(&served->lanes, g_array_unref);
        served->lanes = lanes;
        served->seen = now;
    }
    return served->lanes ? g_array_ref(served->lanes) : NULL;
}
