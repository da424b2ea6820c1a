-- SPDX-License-Identifier: MIT
-- How much may be sent, and servers that are only watched.

-- Messages (of one recipient each) per sliding period. A domain of recipients and a user (a SASL user name
-- that comes from outside) have subject_id 0 and a subject_name, the others an id and ''.
CREATE TABLE rate_limit (
    id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    subject ENUM('organization', 'server', 'credential', 'domain', 'user') NOT NULL,
    subject_id INT UNSIGNED NOT NULL,
    subject_name VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    period ENUM('second', 'minute', 'hour', 'day') NOT NULL,
    max INT UNSIGNED NOT NULL,
    action ENUM('hold', 'defer', 'reject') NOT NULL,
    created_at BIGINT NOT NULL,
    revision BIGINT UNSIGNED NOT NULL,
    UNIQUE KEY rate_limit_subject (subject, subject_id, subject_name, period),
    KEY rate_limit_revision (revision)
) ENGINE=InnoDB;

-- shadow: limits and holds record what they would have done, and let the mail pass.
ALTER TABLE server
    ADD shadow BOOLEAN NOT NULL DEFAULT FALSE AFTER privacy_mode;
