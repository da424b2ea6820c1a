-- SPDX-License-Identifier: MIT
-- DKIM keys whose record is gone from the DNS, and messages that were given up.

-- lost: it would sign if the DNS still showed its record. vanished_looks: so many looks in a row, the first at
-- vanished_at, found the record of a key that signs nowhere.
ALTER TABLE dkim_key
    MODIFY state ENUM('new', 'active', 'retired', 'lost') NOT NULL,
    ADD vanished_at BIGINT NULL AFTER active_at,
    ADD vanished_looks TINYINT UNSIGNED NOT NULL DEFAULT 0 AFTER vanished_at,
    ADD lost_at BIGINT NULL AFTER vanished_looks;

-- gave_up: the host refused the address for now, from since (Unix microseconds) on, until Postfix gave the message up.
ALTER TABLE suppression_evidence
    ADD gave_up BOOLEAN NOT NULL DEFAULT FALSE AFTER at,
    ADD since BIGINT NULL AFTER gave_up;

-- Messages that Postfix gave up. judged: it was decided whether that speaks against the address.
CREATE TABLE suppression_give_up (
    message_id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
    server_id INT UNSIGNED NOT NULL,
    at BIGINT NOT NULL,
    judged BOOLEAN NOT NULL DEFAULT FALSE,
    KEY suppression_give_up_judged (judged),
    KEY suppression_give_up_at (at)
) ENGINE=InnoDB;
