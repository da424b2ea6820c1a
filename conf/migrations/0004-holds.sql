-- SPDX-License-Identifier: MIT
-- What becomes of held messages: who holds them by which rule, when they were released, and a quick way to
-- those that are on hold now.

-- hold_at is when a message was told to be held, hold_seen_at when Postfix was last seen to do so,
-- released_at when Postfix last let it go. on_hold follows from them: it does not stand in the way of a
-- higher status, so a message that has failed for now may be on hold too.
ALTER TABLE message
    MODIFY status ENUM('Accepting', 'Aborted', 'Pending', 'Held', 'SoftFail', 'Unknown', 'HoldCancelled', 'Sent',
                       'HardFail', 'Bounced') NOT NULL DEFAULT 'Accepting',
    ADD hold_rule VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL AFTER hold_at,
    ADD hold_seen_at BIGINT NULL AFTER hold_expires,
    ADD released_at BIGINT NULL AFTER hold_seen_at,
    ADD on_hold BOOLEAN AS (IF(status IN ('Held', 'SoftFail') AND hold_seen_at > COALESCE(released_at, -1), 1, 0))
        PERSISTENT AFTER released_at,
    ADD KEY message_hold (on_hold, id),
    ADD KEY message_server_hold (server_id, on_hold, id);

UPDATE message SET hold_seen_at = COALESCE(status_at, hold_at, accepted_at, 0) WHERE status = 'Held';
