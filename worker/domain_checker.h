/* SPDX-License-Identifier: MIT */
/*
 * Purpose: asks the DNS about verified domains, the installation and track domains when they are due: keys that wait often,
 *     what is not right hourly, the rest every dns_recheck_interval.
 * Used by: the worker's main.
 * May touch: MariaDB (domain, dkim_key, dns_check, track_domain), the name servers of resolv.conf and those of the domains.
 * Threads: one of its own, from start to stop.
 * Limits: one domain at a time, DOMAIN_CHECKER_PER_SECOND domains a second at most. Workers of other nodes share the work: each
 *     domain is claimed before it is checked.
 */
#pragma once

#include "lib/config/config.h"

#define DOMAIN_CHECKER_PER_SECOND 10

typedef struct DomainChecker DomainChecker;

/* Starts the thread; config must outlive it. */
DomainChecker *domain_checker_start(const Config *config);

/* Stops after the domain at hand and frees; accepts NULL. */
void domain_checker_stop(DomainChecker *checker);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DomainChecker, domain_checker_stop)
