/* SPDX-License-Identifier: MIT */
#include "lib/service/service.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/log/log.h"

struct Service {
    Config *config;
    int signal_fd;
};

/* What the shared options say. */
typedef struct {
    char *file;
    gboolean dump, check, version;
} Choice;

static gboolean parse_options(const ServiceInfo *info, int *argc, char ***argv, Choice *choice,
                              GError **error)
{
    const GOptionEntry shared[] = {
        {"config", 'c', 0, G_OPTION_ARG_FILENAME, &choice->file,
         "Configuration file (default " OUTRIDER_CONFIG_FILE ")", "FILE"},
        {"check", 0, 0, G_OPTION_ARG_NONE, &choice->check, "Check the configuration and exit",
         NULL},
        {"dump", 0, 0, G_OPTION_ARG_NONE, &choice->dump, "Print every option's value and exit",
         NULL},
        {"version", 0, 0, G_OPTION_ARG_NONE, &choice->version, "Print the version and exit", NULL},
        {NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autofree char *summary = g_strdup_printf("%s: %s.", info->name, info->summary);

    g_option_context_set_summary(context, summary);
    g_option_context_add_main_entries(context, shared, NULL);
    if (info->options)
        g_option_context_add_main_entries(context, info->options, NULL);
    if (!g_option_context_parse(context, argc, argv, error))
        return FALSE;
    if (*argc > 1) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID,
                    "%.64s: no arguments are taken; see --help", (*argv)[1]);
        return FALSE;
    }
    return TRUE;
}

/* Blocked in every thread that starts from here on, so that only the signalfd takes them. */
static gboolean take_signals(Service *service, GError **error)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return error_set_errno(error, errno, "block", "signals");
    service->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return service->signal_fd >= 0 || error_set_errno(error, errno, "open", "signalfd");
}

static Service *start(const ServiceInfo *info, const Choice *choice, GError **error)
{
    g_autoptr(Service) service = g_new0(Service, 1);

    service->signal_fd = -1;
    service->config = config_load(choice->file ? choice->file : OUTRIDER_CONFIG_FILE, error);
    if (!service->config)
        return NULL;
    if (choice->dump)
        config_dump(service->config, stdout);
    if (choice->dump || choice->check)
        return g_steal_pointer(&service);
    log_open(info->name, config_string(service->config, CONFIG_LOG_TARGET),
             config_string(service->config, CONFIG_LOG_LEVEL));
    /* A heap for each processor. The usual eight times as many each keep what a busy moment needed:
     * threads come and go on all of them. */
    mallopt(M_ARENA_MAX, (int)g_get_num_processors());
    /* Directories of the spool belong to two programs, by their group; nobody else reads. */
    umask(0007);
    return take_signals(service, error) ? g_steal_pointer(&service) : NULL;
}

Service *service_start(const ServiceInfo *info, int *argc, char ***argv, int *status)
{
    Choice choice = {0};
    g_autoptr(GError) error = NULL;
    g_autoptr(Service) service = NULL;

    gboolean good = parse_options(info, argc, argv, &choice, &error);
    g_autofree char *file = choice.file;
    if (good && choice.version) {
        /* lint: allow lib-logs, the answer to --version */
        printf("%s %s\n", info->name, PACKAGE_VERSION);
        *status = 0;
        return NULL;
    }
    if (good && info->only && info->only()) {
        *status = 0;
        return NULL;
    }
    if (good)
        service = start(info, &choice, &error);
    if (!service) {
        fprintf(stderr, "%s: %s\n", info->name, error->message);
        *status = EX_CONFIG;
        return NULL;
    }
    *status = 0;
    return choice.dump || choice.check ? NULL : g_steal_pointer(&service);
}

void service_free(Service *service)
{
    if (!service)
        return;
    if (service->signal_fd >= 0)
        close(service->signal_fd);
    config_free(service->config);
    g_free(service);
}

const Config *service_config(const Service *service)
{
    return service->config;
}

int service_signal_fd(const Service *service)
{
    return service->signal_fd;
}

int service_read_signal(const Service *service)
{
    struct signalfd_siginfo info;

    if (read(service->signal_fd, &info, sizeof(info)) != sizeof(info))
        return 0;
    return (int)info.ssi_signo;
}

void service_ready(const Service *service, const char *status)
{
    (void)service;
    sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

void service_stopping(const Service *service)
{
    (void)service;
    sd_notify(0, "STOPPING=1");
}

void service_watchdog(const Service *service)
{
    (void)service;
    sd_notify(0, "WATCHDOG=1");
}
