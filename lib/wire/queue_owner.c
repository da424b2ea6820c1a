/* SPDX-License-Identifier: MIT */
#include "lib/wire/queue_owner.h"

#include "lib/seal/msgid.h"
#include "lib/seal/return_path.h"

QueueOwner queue_owner(const KeyRing *ring, const QueueFile *file)
{
    ReturnPath path;
    Msgid msgid;

    if (!return_path_open(ring, file->sender, &path, NULL))
        return msgid_open(ring, file->value, &msgid, NULL) ? QUEUE_OWNER_MESSAGE
                                                           : QUEUE_OWNER_OTHER;
    switch (path.kind) {
    case RETURN_PATH_MESSAGE:
    case RETURN_PATH_FORWARD:
        return QUEUE_OWNER_MESSAGE;
    case RETURN_PATH_SUBMISSION:
        return QUEUE_OWNER_SUBMISSION;
    default:
        return QUEUE_OWNER_OTHER;
    }
}
