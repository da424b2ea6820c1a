/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the mail that carries a domain's code, signed by the installation and given to Postfix's sendmail.
 * Used by: cli/domain.c.
 * May touch: MariaDB (the installation's keys), Postfix by sendmail(1).
 * Threads: one.
 */
#pragma once

#include "cli/command.h"

/* Sends it, with a null sender. UNAVAILABLE: it cannot be signed, or sendmail does not take it. */
gboolean verify_mail_send(const Config *config, Sql *sql, const char *address, const char *domain,
                          const char *code, GError **error);
