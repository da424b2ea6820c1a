-- SPDX-License-Identifier: MIT
-- Recipients that nothing is sent to any more, and how they come on the list by themselves.

-- address is a recipient or, as @domain, all of a domain, in the form that lib/base/suppression.h makes. scope_id is 0
-- for the installation. evidence_at (Unix microseconds) is when the latest refusal came that speaks for it, message_id
-- and evidence are that message and the remote host's words. Other times are Unix seconds.
CREATE TABLE suppression (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    scope ENUM('installation', 'organization', 'server') NOT NULL,
    scope_id INT UNSIGNED NOT NULL,
    address VARCHAR(320) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    reason VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    source ENUM('manual', 'import', 'hard_fail', 'soft_fail', 'bounce', 'complaint', 'api') NOT NULL,
    message_id BIGINT UNSIGNED NULL,
    evidence VARCHAR(500) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    evidence_at BIGINT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NULL,
    revision BIGINT UNSIGNED NOT NULL,
    UNIQUE KEY suppression_address (scope, scope_id, address),
    KEY suppression_revision (revision),
    KEY suppression_expires (expires_at)
) ENGINE=InnoDB;

-- Apart from `tombstone', so that a million of them disturb no other replica. Those up to revision_counter's
-- suppression_floor may be gone.
CREATE TABLE suppression_tombstone (
    revision BIGINT UNSIGNED NOT NULL,
    id BIGINT UNSIGNED NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (revision, id),
    KEY suppression_tombstone_at (at)
) ENGINE=InnoDB;

-- Messages that a host refused for good because of the address. judged: it was decided whether it is suppressed.
CREATE TABLE suppression_evidence (
    server_id INT UNSIGNED NOT NULL,
    address VARCHAR(320) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    message_id BIGINT UNSIGNED NOT NULL,
    at BIGINT NOT NULL,
    text VARCHAR(500) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    judged BOOLEAN NOT NULL DEFAULT FALSE,
    PRIMARY KEY (server_id, address, message_id),
    KEY suppression_evidence_judged (judged),
    KEY suppression_evidence_at (at)
) ENGINE=InnoDB;

-- Suppressions to be removed, as mail to the address was taken since; filled and emptied by one transaction.
CREATE TABLE suppression_lift (
    id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL
) ENGINE=InnoDB;

ALTER TABLE revision_counter
    ADD suppression_floor BIGINT UNSIGNED NOT NULL DEFAULT 0;

-- What becomes of mail to a suppressed recipient.
ALTER TABLE server
    ADD suppression ENUM('hold', 'refuse') NOT NULL DEFAULT 'hold' AFTER shadow;
