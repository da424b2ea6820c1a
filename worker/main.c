/* SPDX-License-Identifier: MIT */
/*
 * outrider-worker: what happens in the background. Each part has a thread; main waits for signals and
 * pings the watchdog. Only one worker runs on a node.
 */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>

#include "lib/log/log.h"
#include "lib/service/service.h"
#include "worker/domain_checker.h"
#include "worker/edge_writer.h"
#include "worker/hold_keeper.h"
#include "worker/housekeeping.h"
#include "worker/journal_applier.h"
#include "worker/limit_sharer.h"
#include "worker/mail_follower.h"
#include "worker/reconciler.h"
#include "worker/suppression_writer.h"

#define WATCHDOG_MS 5000

static int take_lock(const Config *config)
{
    g_autofree char *path = config_path(config, CONFIG_SPOOL_DIR, "worker/lock");
    g_autoptr(GError) error = NULL;
    int fd = service_lock(path, &error);

    if (fd < 0)
        log_error(NULL, "cannot run", LOG_GERROR(error));
    return fd;
}

static void wait_for_end(const Service *service)
{
    for (;;) {
        struct pollfd signals = {.fd = service_signal_fd(service), .events = POLLIN};
        int ready = poll(&signals, 1, WATCHDOG_MS);
        int number = ready > 0 ? service_read_signal(service) : 0;
        if (number == SIGTERM || number == SIGINT)
            return;
        service_watchdog(service);
    }
}

int main(int argc, char **argv)
{
    static const ServiceInfo info = {
        .name = "outrider-worker",
        .summary = "carries events into the history database",
    };
    int status = EXIT_FAILURE;
    g_autoptr(Service) service = service_start(&info, &argc, &argv, &status);

    if (!service)
        return status;
    const Config *config = service_config(service);
    if (take_lock(config) < 0)
        return EXIT_FAILURE;
    g_autoptr(GError) error = NULL;
    g_autoptr(MailFollower) follower = mail_follower_new(config, &error);
    if (!follower) {
        log_error(NULL, "cannot run", LOG_GERROR(error));
        return EXIT_FAILURE;
    }
    mail_follower_start(follower);
    g_autoptr(EdgeWriter) edge = edge_writer_start(config);
    g_autoptr(SuppressionWriter) suppressions = suppression_writer_start(config);
    g_autoptr(Housekeeping) housekeeping = housekeeping_start(config);
    g_autoptr(JournalApplier) applier = journal_applier_new(
        config_string(config, CONFIG_SPOOL_DIR), (guint)config_int(config, CONFIG_NODE_ID),
        mail_follower_keep, follower);
    journal_applier_start(applier, config);
    g_autoptr(Reconciler) reconciler = reconciler_start(config, follower, applier);
    g_autoptr(HoldKeeper) keeper = hold_keeper_start(config, follower);
    g_autoptr(DomainChecker) checker = domain_checker_start(config);
    g_autoptr(LimitSharer) sharer = limit_sharer_start(config);
    service_ready(service, "running");
    wait_for_end(service);
    service_stopping(service);
    return EXIT_SUCCESS;
}
