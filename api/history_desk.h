/* SPDX-License-Identifier: MIT */
/*
 * Purpose: messages as API v1 tells of them: from history, from the stored bytes, and who visited.
 * Used by: apid, for its reading calls, and for a request that comes again after an interruption.
 * May touch: MariaDB, by reading; <spool_dir>/store, by reading; visitors_file.
 * Threads: any.
 * Limits: HISTORY_DESK_LINKS connections (lib/sql/pool.h). Stored messages of HISTORY_DESK_BYTES_MAX octets; of those over
 *     HISTORY_DESK_LARGE octets one is in memory at a time. HISTORY_DESK_LINE stand in line for that, half of them for one server
 *     at most, and HISTORY_DESK_WAIT_MS at most; who cannot is UNAVAILABLE. So of HISTORY_DESK_WORKERS threads there is one for
 *     each connection whoever waits.
 */
#pragma once

#include "api/fate.h"
#include "api/v1_lookup.h"
#include "lib/config/config.h"

#define HISTORY_DESK_LINKS     8
#define HISTORY_DESK_BYTES_MAX (256 * 1024 * 1024)
#define HISTORY_DESK_LARGE     (1024 * 1024)
#define HISTORY_DESK_LINE      8
#define HISTORY_DESK_WAIT_MS   10000
#define HISTORY_DESK_WORKERS   (HISTORY_DESK_LINKS + HISTORY_DESK_LINE)

typedef struct HistoryDesk HistoryDesk;

/* Opens nothing yet. config must outlive it. */
HistoryDesk *history_desk_new(const Config *config);
void history_desk_free(HistoryDesk *desk);

/* Reads visitors_file; on error who was known before stays so. */
gboolean history_desk_load(HistoryDesk *desk, GError **error);

typedef struct {
    HistoryDesk *desk;
    json_object *data; /* NULL: the server has no such message that is shown */
    guint32 in_line;   /* the server in whose name it has its place in the line; 0: it has none */
    gboolean large;    /* others wait until this is cleared */
} HistoryAnswer;

void history_answer_clear(HistoryAnswer *answer);

/* A server's message with what was asked for, or its deliveries. FALSE: it cannot be read now. */
gboolean history_desk_message(HistoryDesk *desk, guint32 server, const V1Lookup *lookup,
                              HistoryAnswer *answer, GError **error);
gboolean history_desk_deliveries(HistoryDesk *desk, guint32 server, const V1Lookup *lookup,
                                 HistoryAnswer *answer, GError **error);

/* What became of a server's submission of this node, whose first message is base; quiet as fate_of has it. FALSE: as above. */
gboolean history_desk_fate(HistoryDesk *desk, guint32 server, guint64 base, gint64 quiet,
                           Fate *fate, GError **error);
