/* SPDX-License-Identifier: MIT */
#include "lib/service/rights.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "lib/base/error.h"

gboolean rights_keep(guint64 set, GError **error)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {
        {.effective = (guint32)set, .permitted = (guint32)set},
        {.effective = (guint32)(set >> 32), .permitted = (guint32)(set >> 32)}};
    gboolean narrow = TRUE;

    for (unsigned long cap = 0; cap < 64 && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
        if (!(set >> cap & 1) && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1 &&
            prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
            narrow = FALSE;
    umask(0077);
    if (!narrow || setgroups(0, NULL) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        syscall(SYS_capset, &head, data) < 0) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_REFUSED,
                    "capabilities cannot be given up: %s", g_strerror(errno));
        return FALSE;
    }
    return TRUE;
}

void rights_become(uid_t uid, gid_t gid)
{
    /* Root first on the way back, last on the way there. */
    if ((uid == 0 && seteuid(uid) < 0) || setegid(gid) < 0 || seteuid(uid) < 0)
        g_error("cannot change the effective user");
}
