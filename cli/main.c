/* SPDX-License-Identifier: MIT */
/*
 * outrider(1): what an admin types. Exit status: 0 done; 1 `status' found something;
 * 64 usage; 65 a value is not allowed; 69
 * refused, not found or there already; 70 a bug; 75 try again later; 78 the configuration is wrong.
 */
#include <locale.h>
#include <stdio.h>
#include <sysexits.h>

#include "cli/output.h"
#include "cli/session.h"
#include "lib/base/error.h"

static int exit_status(const GError *error)
{
    if (error->domain != OUTRIDER_ERROR)
        return EX_TEMPFAIL;
    switch ((OutriderError)error->code) {
    case OUTRIDER_ERROR_INVALID:
    case OUTRIDER_ERROR_TOO_LARGE:
        return EX_DATAERR;
    case OUTRIDER_ERROR_NOT_FOUND:
    case OUTRIDER_ERROR_EXISTS:
    case OUTRIDER_ERROR_REFUSED:
    case OUTRIDER_ERROR_FORGED:
        return EX_UNAVAILABLE;
    case OUTRIDER_ERROR_INTERNAL:
        return EX_SOFTWARE;
    default:
        return EX_TEMPFAIL;
    }
}

static int report(const GError *error, int status)
{
    g_autofree char *text = output_text(error->message);

    fprintf(stderr, "outrider: %s\n", text);
    return status;
}

int main(int argc, char **argv)
{
    g_auto(Cli) cli = {0};
    g_autoptr(GError) error = NULL;

    setlocale(LC_CTYPE, "C.UTF-8");
    switch (command_parse(&cli, argc, argv, &error)) {
    case COMMAND_SHOWN:
        return EX_OK;
    case COMMAND_WRONG:
        return report(error, g_error_matches(error, OUTRIDER_ERROR, OUTRIDER_ERROR_TOO_LARGE)
                                 ? EX_DATAERR
                                 : EX_USAGE);
    case COMMAND_RUN:
        break;
    }
    if (!cli.command->run(&cli, &error))
        return report(error, cli.config_wrong ? EX_CONFIG : exit_status(error));
    if (fflush(stdout) != 0)
        return EX_IOERR;
    return cli.status;
}
