/* SPDX-License-Identifier: MIT */
#include "lib/edge/edge.h"

const EdgeTable edge_tables[] = {
#define X(file, table, columns, index) {EDGE_FILE_##file, #table, columns, index},
#include "lib/edge/edge_table.def"
#undef X
};

const guint edge_table_count = G_N_ELEMENTS(edge_tables);

static const struct {
    const char *name;
    const char *group;
} files[EDGE_FILE_COUNT] = {
    [EDGE_FILE_DIRECTORY] = {"edge.5.db", "outrider"},
    [EDGE_FILE_AUTH] = {"edge-auth.5.db", "outrider-auth"},
    [EDGE_FILE_SIGN] = {"edge-sign.5.db", "outrider-sign"},
    [EDGE_FILE_SUPPRESSION] = {"edge-suppression.5.db", "outrider"},
};

G_STATIC_ASSERT(EDGE_SCHEMA == 5); /* the number stands in the names above */

const char *edge_file_name(EdgeFile file)
{
    return files[file].name;
}

const char *edge_file_group(EdgeFile file)
{
    return files[file].group;
}
