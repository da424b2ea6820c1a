/* SPDX-License-Identifier: MIT */
#include "lib/mime/start.h"

#include <glib.h>
#include <gmime/gmime.h>

static gpointer start(gpointer data)
{
    (void)data;
    g_mime_init();
    return NULL;
}

void mime_start(void)
{
    static GOnce once = G_ONCE_INIT;

    g_once(&once, start, NULL);
}
