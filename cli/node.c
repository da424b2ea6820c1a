/* SPDX-License-Identifier: MIT */
/*
 * What a host needs before its programs start: directories and files with their owners, key rings, the key that signs HTTP requests and
 * Postfix maps that may be empty. Running it again repairs owners, modes and the maps that are the same
 * everywhere, and keeps other contents.
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
#include "lib/seal/signing_key.h"

#define US 1000000

typedef enum {
    DIRECTORY,
    FILE_KEPT, /* text is its first content only */
    FILE_OURS, /* text is its content always */
    RING,
    SIGNING_KEY,
} PlaceKind;

/* One directory or file. user, group: NULL is root. text: {hop_port} stands for the option. */
typedef struct {
    ConfigOption below;
    const char *name;
    mode_t mode;
    const char *user;
    const char *group;
    PlaceKind kind;
    const char *text;
} Place;

/* Headers that the milter adds, so that cleanup chooses the way on: of the submission services, and of
 * the hop, which must not lead to itself. */
#define OURS       "# Written by `outrider node init', which undoes what is changed here.\n"
#define LANE_CHECK "/^X-Outrider-Lane: ([0-9]+)$/ FILTER outrider-ip$1:\n"
#define SMARTHOST_CHECK                                                                            \
    "/^X-Outrider-Lane: sh([0-9]+):(\\[[0-9a-z.:-]+\\]:[0-9]+)$/ FILTER outrider-sh$1:$2\n"
/* Results of smart hosts that say nothing of the recipient, so that mail waits: no such host, a login is wanted, it
 * does not relay for us. */
#define SMARTHOST_STATUS                                                                           \
    "/^5(\\.4\\.[0-9]+ (Host or domain name not found|unable to look up host|mail for [^ ]+ "      \
    "loops "                                                                                       \
    "back).*)$/ 4$1\n"                                                                             \
    "/^5(\\.[0-9.]+ host [^ ]+ said: 53[0-9].*\\(in reply to (MAIL FROM|RCPT TO) command\\))$/ "   \
    "4$1\n"                                                                                        \
    "/^5(\\.[0-9.]+ host [^ ]+ said: 5[0-9][0-9].*(relay(ing)? (access )?(is "                     \
    ")?(denied|prohibited|"                                                                        \
    "not (permitted|allowed))|(unable|not permitted) to relay|not relay for|must (be "             \
    ")?authenticat|"                                                                               \
    "authentication (is )?required).*\\(in reply to (MAIL FROM|RCPT TO) command\\))$/ 4$1\n"
#define SPLIT_CHECK "/^X-Outrider-Stage: split$/ FILTER outrider-split:[127.0.0.1]:{hop_port}\n"
#define HIDE_HOP    "/^Received: from outrider-split\\.invalid / IGNORE\n"
#define LANES       "# Written by outrider-worker: return path to the transport of its lane.\n"

/* Parents before what is in them. */
static const Place places[] = {
    {CONFIG_SPOOL_DIR, "", 0755, NULL, NULL, DIRECTORY, NULL},
    {CONFIG_SPOOL_DIR, "journal", 0755, NULL, NULL, DIRECTORY, NULL},
#define X(NAME, name, user)                                                                        \
    {CONFIG_SPOOL_DIR, "journal/" name, 02770, user, "outrider-worker", DIRECTORY, NULL},
#include "lib/journal/program.def"
#undef X
    {CONFIG_SPOOL_DIR, "store", 02770, "outrider-milter", "outrider-store", DIRECTORY, NULL},
    {CONFIG_SPOOL_DIR, "policyd", 0700, "outrider-policyd", "outrider-policyd", DIRECTORY, NULL},
    {CONFIG_SPOOL_DIR, "trackd", 0700, "outrider-trackd", "outrider-trackd", DIRECTORY, NULL},
    {CONFIG_SPOOL_DIR, "apid", 0700, "outrider-apid", "outrider-apid", DIRECTORY, NULL},
    {CONFIG_SPOOL_DIR, "pipe", 0700, "outrider-pipe", "outrider-pipe", DIRECTORY, NULL},
    {CONFIG_SPOOL_DIR, "worker", 0700, "outrider-worker", "outrider-worker", DIRECTORY, NULL},
    {CONFIG_SPOOL_DIR, "next-id", 0660, NULL, "outrider", FILE_KEPT, ""},
    {CONFIG_EDGE_DIR, "", 02750, "outrider-worker", "outrider", DIRECTORY, NULL},
    {CONFIG_KEY_DIR, "", 0755, NULL, NULL, DIRECTORY, NULL},
    {CONFIG_KEY_DIR, "return", 0640, NULL, "outrider-return", RING, NULL},
    {CONFIG_KEY_DIR, "claim", 0640, NULL, "outrider-claim", RING, NULL},
    {CONFIG_KEY_DIR, "link", 0640, NULL, "outrider-link", RING, NULL},
    /* pipe(8) starts programs with one group only, which is the one that reads the replica. */
    {CONFIG_KEY_DIR, SIGNING_KEY_FILE, 0640, "outrider-pipe", "outrider-http", SIGNING_KEY, NULL},
    {CONFIG_SOCKET_DIR, "", 02775, NULL, "outrider", DIRECTORY, NULL},
    {CONFIG_POSTFIX_CONFIG_DIR, "outrider", 0755, "outrider-worker", NULL, DIRECTORY, NULL},
    {CONFIG_POSTFIX_CONFIG_DIR, "outrider/lanes.regexp", 0644, "outrider-worker", NULL, FILE_KEPT,
     LANES},
    {CONFIG_POSTFIX_CONFIG_DIR, "outrider/milter_header_checks", 0644, NULL, NULL, FILE_OURS,
     OURS SPLIT_CHECK LANE_CHECK SMARTHOST_CHECK},
    {CONFIG_POSTFIX_CONFIG_DIR, "outrider/hop_milter_header_checks", 0644, NULL, NULL, FILE_OURS,
     OURS LANE_CHECK SMARTHOST_CHECK},
    {CONFIG_POSTFIX_CONFIG_DIR, "outrider/smarthost_status", 0644, NULL, NULL, FILE_OURS,
     OURS SMARTHOST_STATUS},
    {CONFIG_POSTFIX_CONFIG_DIR, "outrider/hop_header_checks", 0644, NULL, NULL, FILE_OURS,
     OURS HIDE_HOP},
};

static char *place_path(const Config *config, const Place *place)
{
    return *place->name ? config_path(config, place->below, place->name)
                        : g_strdup(config_string(config, place->below));
}

static char *place_text(const Config *config, const Place *place)
{
    g_autofree char *port =
        g_strdup_printf("%" G_GINT64_FORMAT, config_int(config, CONFIG_HOP_PORT));
    GString *text = g_string_new(place->text);

    g_string_replace(text, "{hop_port}", port, 0);
    return g_string_free(text, FALSE);
}

/* In one step, as Postfix may read it meanwhile. */
static gboolean write_ours(const Config *config, const char *path, const Place *place,
                           GError **error)
{
    g_autofree char *text = place_text(config, place);
    g_autoptr(GError) why = NULL;

    if (g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, &why))
        return TRUE;
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_IO, "%s", why->message);
    return FALSE;
}

/* What a new file has in it. NULL: the random source gives nothing. */
static char *first_text(const Place *place)
{
    if (place->kind == RING)
        return ring_generate(g_get_real_time() / US);
    return place->kind == SIGNING_KEY ? signing_key_generate() : g_strdup(place->text);
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
    g_autofree char *text = first_text(place);
    if (!text) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE,
                    "%s: the random source gives nothing", path);
        return -1;
    }
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        error_set_errno(error, errno, "make", path);
        return -1;
    }
    gsize length = strlen(text);
    if (write(fd, text, length) == (gssize)length && fsync(fd) == 0)
        return fd;
    error_set_errno(error, errno, "write", path);
    close(fd);
    unlink(path);
    return -1;
}

static int open_place(const Config *config, const char *path, const Place *place, GError **error)
{
    if (place->kind == FILE_OURS && !write_ours(config, path, place, error))
        return -1;
    if (place->kind != DIRECTORY)
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
    int fd = open_place(config, path, place, error);

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
