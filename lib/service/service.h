/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what every daemon does the same way: options, configuration, log, readiness, signals and
 *     sockets.
 * Used by: the daemons' main().
 * May touch: the sockets it is asked to bind; $NOTIFY_SOCKET.
 * Threads: call from main before other threads start.
 *
 *     static const ServiceInfo info = {.name = "outrider-policyd", .summary = "..."};
 *     g_autoptr(Service) service = service_start(&info, &argc, &argv, &status);
 *     if (!service)
 *         return status;
 *     ... run until service_stop_fd becomes readable ...
 */
#pragma once

#include <glib.h>
#include <sys/types.h>

#include "lib/config/config.h"

typedef struct {
    const char *name;            /* program name */
    const char *summary;         /* one line for --help */
    const GOptionEntry *options; /* own options besides the shared ones; may be NULL */
    gboolean (*only)(
        void); /* answers an own option that needs no configuration; TRUE: that is all. May be NULL */
} ServiceInfo;

typedef struct Service Service;

/* Parses --config FILE (-c), --dump, --check, --version, --help and own options, loads the
 * configuration, opens the log, blocks SIGTERM, SIGINT and SIGHUP for all threads (a signalfd takes
 * them), ignores SIGPIPE, sets umask 0007. Returns NULL when the program should exit at once with *status: 0 after
 * --help, --version, --dump, --check, and what `only' answers; 78 (EX_CONFIG) for a bad configuration or option. */
Service *service_start(const ServiceInfo *info, int *argc, char ***argv, int *status);
void service_free(Service *service);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Service, service_free)

const Config *service_config(const Service *service);

/* Becomes readable when a signal came; service_read_signal returns it (0: none). */
int service_signal_fd(const Service *service);
int service_read_signal(const Service *service);

/* READY=1, STOPPING=1, WATCHDOG=1 to the service manager; nothing without one. */
void service_ready(const Service *service, const char *status);
void service_stopping(const Service *service);
void service_watchdog(const Service *service);

/* Listens on <socket_dir>/<name> (SOCK_STREAM, 0660, group socket_group): a stale socket is
 * replaced, a live one (somebody answers) is CONFLICT. A socket of that path that the service manager handed over
 * is taken as it is. Returns a non-blocking, close-on-exec fd or -1. */
int service_listen(const Service *service, const char *name, GError **error);

/* Accepts a connection of one of these system users (up to NULL; one that does not exist is left out), by
 * SO_PEERCRED, which a client cannot choose. Returns a blocking, close-on-exec fd, or -1: REFUSED names the
 * stranger, whose connection is closed; UNAVAILABLE: there is none. */
int service_accept(int listener, const char *const *users, uid_t *uid, GError **error);

/* Gives a socket that another library has bound to socket_group (empty: leaves it). INVALID: there is
 * no such group. */
gboolean service_share_socket(const Config *config, const char *path, GError **error);

/* Whether somebody accepts connections at a socket's path; never waits: a full backlog is FALSE. */
gboolean service_answers(const char *path);

/* Whether a process holds that lock file. FALSE without error: nobody, or there is none. */
gboolean service_lock_is_held(const char *path, GError **error);

/* Takes <path> as a lock file for a single instance; CONFLICT names the holder's pid. The fd stays
 * open until exit. */
int service_lock(const char *path, GError **error);
