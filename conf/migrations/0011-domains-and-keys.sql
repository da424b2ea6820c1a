-- SPDX-License-Identifier: MIT
-- Domains that are proved and checked, and keys that are rotated.

-- return_path_label: the label below the domain whose CNAME was found right, so that its return paths may
-- be there; NULL: those of the installation. verification_token: what the owner publishes as proof.
ALTER TABLE domain
    ADD subdomains BOOLEAN NOT NULL DEFAULT FALSE AFTER use_for_any,
    ADD return_path_label VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin NULL AFTER subdomains,
    ADD verification_token CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL AFTER return_path_label;

-- replaces: the key that this one takes the place of. removable_at: when the record of a retired key may
-- go. waits_for: what kept a new key from signing when it was looked for last.
ALTER TABLE dkim_key
    ADD bits SMALLINT UNSIGNED NULL AFTER algorithm,
    ADD replaces INT UNSIGNED NULL,
    ADD active_at BIGINT NULL,
    ADD retired_at BIGINT NULL,
    ADD removable_at BIGINT NULL,
    ADD waits_for VARCHAR(500) NULL,
    ADD KEY dkim_key_state (state, removable_at);
UPDATE dkim_key SET bits = 2048 WHERE algorithm = 'rsa';
UPDATE dkim_key SET active_at = created_at WHERE state = 'active';

-- What the DNS says of a domain (0: of the installation), and when it is asked next. findings: JSON.
CREATE TABLE dns_check (
    domain_id INT UNSIGNED NOT NULL PRIMARY KEY,
    due_at BIGINT NOT NULL,
    checked_at BIGINT NULL,
    status ENUM('ok', 'missing', 'wrong', 'could not check') NULL,
    findings MEDIUMTEXT NULL,
    KEY dns_check_due (due_at)
) ENGINE=InnoDB;
INSERT INTO dns_check (domain_id, due_at) SELECT 0, 0 UNION ALL SELECT id, 0 FROM domain;

-- A code that was sent to the domain's postmaster. codes: how many since first_at.
CREATE TABLE domain_code (
    domain_id INT UNSIGNED NOT NULL PRIMARY KEY,
    address VARCHAR(320) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    code CHAR(6) CHARACTER SET ascii COLLATE ascii_bin NULL,
    sent_at BIGINT NOT NULL,
    wrong TINYINT UNSIGNED NOT NULL,
    first_at BIGINT NOT NULL,
    codes TINYINT UNSIGNED NOT NULL
) ENGINE=InnoDB;
