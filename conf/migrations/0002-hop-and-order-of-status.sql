-- SPDX-License-Identifier: MIT
-- Messages that Postfix splits off a submission, the order of status, and why a status is what it is.

-- The order of the enumeration is the rank: status only rises.
ALTER TABLE message
    MODIFY status ENUM('Accepting', 'Aborted', 'Pending', 'Held', 'SoftFail', 'Unknown', 'Sent', 'HardFail',
                       'Bounced') NOT NULL DEFAULT 'Accepting',
    ADD status_reason VARCHAR(600) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL AFTER status_at,
    ADD hold_at BIGINT NULL AFTER status_reason,
    ADD hold_reason VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL AFTER hold_at,
    ADD hold_expires BIGINT NULL AFTER hold_reason;

-- hop: its messages are made by Postfix's split, and wait under its queue id until then.
ALTER TABLE submission
    ADD hop BOOLEAN NOT NULL DEFAULT FALSE AFTER recipients,
    ADD KEY submission_queue (queue_id);

-- Each queue id of a message that may have several: split again after a broken link (two rows without
-- parent: a duplicate), or requeued (parent is the queue id that it had before).
CREATE TABLE message_copy (
    message_id BIGINT UNSIGNED NOT NULL,
    queue_id VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    parent VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (message_id, queue_id),
    KEY message_copy_queue (queue_id)
) ENGINE=InnoDB PARTITION BY RANGE (message_id) (PARTITION p_future VALUES LESS THAN MAXVALUE);

INSERT INTO retention (table_name, days)
    SELECT 'message_copy', days FROM retention WHERE table_name = 'message';

ALTER TABLE event_rejected ADD KEY event_rejected_at (at);
