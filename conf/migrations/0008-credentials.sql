-- SPDX-License-Identifier: MIT
-- What a credential works for: networks that a client must be in, addresses that it may send from. For type
-- smtp-ip the network is the credential: source, and then it is in no other one. Addresses are 16 octets, IPv4
-- as the IPv4-mapped address, and prefix_length counts in their 128 bits.
CREATE TABLE credential_network (
    id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    credential_id INT UNSIGNED NOT NULL,
    source BOOLEAN NOT NULL,
    first BINARY(16) NOT NULL,
    last BINARY(16) NOT NULL,
    prefix_length TINYINT UNSIGNED NOT NULL,
    network VARCHAR(43) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    source_first BINARY(16) AS (IF(source, first, NULL)) PERSISTENT,
    revision BIGINT UNSIGNED NOT NULL,
    UNIQUE KEY credential_network_credential (credential_id, first, prefix_length),
    UNIQUE KEY credential_network_source (source_first, prefix_length),
    KEY credential_network_revision (revision)
) ENGINE=InnoDB;

-- user@domain or @domain, in lower case.
CREATE TABLE credential_sender (
    id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    credential_id INT UNSIGNED NOT NULL,
    address VARCHAR(320) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    revision BIGINT UNSIGNED NOT NULL,
    UNIQUE KEY credential_sender_credential (credential_id, address),
    KEY credential_sender_revision (revision)
) ENGINE=InnoDB;

-- The key before the last rotation works until then (Unix seconds).
ALTER TABLE credential_secret
    ADD COLUMN old_key_hash BINARY(32) NULL AFTER cram_state,
    ADD COLUMN old_cram_state BINARY(32) NULL AFTER old_key_hash,
    ADD COLUMN old_until BIGINT NULL AFTER old_cram_state,
    ADD KEY credential_secret_old_until (old_until);
