-- SPDX-License-Identifier: MIT
-- Mail that came in, in history: by which route, to which endpoint; and Processed, what was kept and went nowhere.

ALTER TABLE message
    MODIFY status ENUM('Accepting', 'Aborted', 'Pending', 'Held', 'SoftFail', 'Unknown', 'HoldCancelled', 'Sent',
                       'Processed', 'HardFail', 'Bounced') NOT NULL DEFAULT 'Accepting',
    ADD route_id INT UNSIGNED NULL,
    ADD endpoint_id INT UNSIGNED NULL;

ALTER TABLE delivery MODIFY status ENUM('Sent', 'SoftFail', 'HardFail', 'Processed') NOT NULL;
