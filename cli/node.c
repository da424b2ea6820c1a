/* SPDX-License-Identifier: MIT */
/*
 * What a host needs before its programs start: directories and files with their owners, key rings and
 * Postfix maps that may be empty. Running it again repairs owners and modes and keeps contents.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/session.h"
#include "lib/base/error.h"
#include "lib/seal/ring.h"

#define US 1000000

/* One directory or file. user, group: NULL is root. text: a file's first content; "" for none. */
typedef struct {
    ConfigOption below;
    const char *name;
    mode_t mode;
    const char *user;
    const char *group;
    const char *text;
    gboolean is_ring;
} Place;

#define HEADER_CHECKS "/^X-Outrider-Lane: ([0-9]+)$/ FILTER outrider-ip$1:\n"
#define LANES         "# Written by outrider-worker: return path to the transport of its lane.\n"

/* Parents before what is in them. */
static const Place places[] = {
    {CONFIG_SPOOL_DIR, "", 0755, NULL, NULL, NULL, FALSE},
    {CONFIG_SPOOL_DIR, "journal", 0755, NULL, NULL, NULL, FALSE},
    {CONFIG_SPOOL_DIR, "journal/milter", 02770, "outrider-milter", "outrider-worker", NULL, FALSE},
    {CONFIG_SPOOL_DIR, "journal/policyd", 02770, "outrider-policyd", "outrider-worker", NULL,
     FALSE},
    {CONFIG_SPOOL_DIR, "journal/worker", 02770, "outrider-worker", "outrider-worker", NULL, FALSE},
    {CONFIG_SPOOL_DIR, "store", 02770, "outrider-milter", "outrider-worker", NULL, FALSE},
    {CONFIG_SPOOL_DIR, "worker", 0700, "outrider-worker", "outrider-worker", NULL, FALSE},
    {CONFIG_SPOOL_DIR, "next-id", 0660, NULL, "outrider", "", FALSE},
    {CONFIG_EDGE_DIR, "", 02750, "outrider-worker", "outrider", NULL, FALSE},
    {CONFIG_KEY_DIR, "", 0755, NULL, NULL, NULL, FALSE},
    {CONFIG_KEY_DIR, "return", 0640, NULL, "outrider-return", NULL, TRUE},
    {CONFIG_KEY_DIR, "claim", 0640, NULL, "outrider-claim", NULL, TRUE},
    {CONFIG_SOCKET_DIR, "", 02775, NULL, "outrider", NULL, FALSE},
    {CONFIG_POSTFIX_CONFIG_DIR, "outrider", 0755, "outrider-worker", NULL, NULL, FALSE},
    {CONFIG_POSTFIX_CONFIG_DIR, "outrider/lanes.regexp", 0644, "outrider-worker", NULL, LANES,
     FALSE},
    {CONFIG_POSTFIX_CONFIG_DIR, "outrider/milter_header_checks", 0644, NULL, NULL, HEADER_CHECKS,
     FALSE},
};

static char *place_path(const Config *config, const Place *place)
{
    return *place->name ? config_path(config, place->below, place->name)
                        : g_strdup(config_string(config, place->below));
}

/* Opens what is there or makes it; never through a symbolic link. -1 with error set. */
static int open_file(const char *path, const Place *place, GError **error)
{
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

    if (fd >= 0 || errno != ENOENT) {
        if (fd < 0)
            error_set_errno(error, errno, "open", path);
        return fd;
    }
    g_autofree char *ring =
        place->is_ring ? ring_generate(g_get_real_time() / US) : g_strdup(place->text);
    if (!ring) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE,
                    "%s: the random source gives nothing", path);
        return -1;
    }
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        error_set_errno(error, errno, "make", path);
        return -1;
    }
    gsize length = strlen(ring);
    if (write(fd, ring, length) == (gssize)length && fsync(fd) == 0)
        return fd;
    error_set_errno(error, errno, "write", path);
    close(fd);
    unlink(path);
    return -1;
}

static int open_place(const char *path, const Place *place, GError **error)
{
    if (place->text || place->is_ring)
        return open_file(path, place, error);
    if (g_mkdir_with_parents(path, 0755) < 0) {
        error_set_errno(error, errno, "make", path);
        return -1;
    }
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        error_set_errno(error, errno, "open", path);
    return fd;
}

/* FALSE: a user or group that does not exist; said once each by the caller. */
static gboolean find_owner(const Place *place, uid_t *uid, gid_t *gid)
{
    const struct passwd *user = place->user ? getpwnam(place->user) : NULL;
    const struct group *group = place->group ? getgrnam(place->group) : NULL;

    *uid = user ? user->pw_uid : 0;
    *gid = group ? group->gr_gid : 0;
    return (!place->user || user) && (!place->group || group);
}

static gboolean settle(const Config *config, const Place *place, GError **error)
{
    g_autofree char *path = place_path(config, place);
    uid_t uid;
    gid_t gid;
    int fd = open_place(path, place, error);

    if (fd < 0)
        return FALSE;
    gboolean known = find_owner(place, &uid, &gid);
    if (geteuid() != 0 || !known)
        fprintf(stderr, "outrider: warning: %s: owner should be %s:%s (%s)\n", path,
                place->user ? place->user : "root", place->group ? place->group : "root",
                known ? "not root" : "no such user or group");
    gboolean done = geteuid() != 0 || !known || fchown(fd, uid, gid) == 0;
    done = done && fchmod(fd, place->mode) == 0;
    if (!done)
        error_set_errno(error, errno, "change owner or mode of", path);
    close(fd);
    return done;
}

gboolean node_init(Cli *cli, GError **error)
{
    const Config *config = cli_config(cli, error);

    if (!config)
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(places); i++) {
        if (!settle(config, &places[i], error))
            return FALSE;
        g_autofree char *path = place_path(config, &places[i]);
        if (!cli->json)
            puts(path);
    }
    if (cli->json)
        puts("{\"done\": true}");
    return TRUE;
}
