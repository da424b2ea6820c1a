-- SPDX-License-Identifier: MIT
-- The system of record. Directory tables carry a revision, taken in the writing transaction from the
-- one row of revision_counter; deletions leave a tombstone. History tables are partitioned by message
-- id range, one partition a day (made ahead by the worker), and have a retention rule from the start.
-- Names compare exactly: the directory lower-cases what is case-insensitive before it is written.

CREATE TABLE installation (
    id TINYINT UNSIGNED NOT NULL PRIMARY KEY,
    epoch BIGINT UNSIGNED NOT NULL
) ENGINE=InnoDB;
INSERT INTO installation (id, epoch) VALUES (1, FLOOR(RAND() * 9007199254740991));

CREATE TABLE revision_counter (
    id TINYINT UNSIGNED NOT NULL PRIMARY KEY,
    revision BIGINT UNSIGNED NOT NULL,
    tombstone_floor BIGINT UNSIGNED NOT NULL
) ENGINE=InnoDB;
INSERT INTO revision_counter (id, revision, tombstone_floor) VALUES (1, 0, 0);

CREATE TABLE tombstone (
    revision BIGINT UNSIGNED NOT NULL,
    table_name VARCHAR(64) NOT NULL,
    id INT UNSIGNED NOT NULL,
    deleted_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (revision, table_name, id)
) ENGINE=InnoDB;

CREATE TABLE organization (
    id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    permalink VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    name VARCHAR(255) NOT NULL,
    suspended_at BIGINT NULL,
    suspension_reason VARCHAR(255) NULL,
    created_at BIGINT NOT NULL,
    revision BIGINT UNSIGNED NOT NULL,
    UNIQUE KEY organization_permalink (permalink),
    KEY organization_revision (revision)
) ENGINE=InnoDB;

CREATE TABLE server (
    id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    organization_id INT UNSIGNED NOT NULL,
    permalink VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    name VARCHAR(255) NOT NULL,
    mode ENUM('live', 'development') NOT NULL DEFAULT 'live',
    ip_pool_id INT UNSIGNED NULL,
    allow_sender BOOLEAN NOT NULL DEFAULT FALSE,
    privacy_mode BOOLEAN NOT NULL DEFAULT FALSE,
    suspended_at BIGINT NULL,
    suspension_reason VARCHAR(255) NULL,
    created_at BIGINT NOT NULL,
    revision BIGINT UNSIGNED NOT NULL,
    UNIQUE KEY server_permalink (organization_id, permalink),
    KEY server_pool (ip_pool_id),
    KEY server_revision (revision)
) ENGINE=InnoDB;

-- Owned by a server, or by an organization (server_id NULL) for all its servers.
CREATE TABLE domain (
    id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    organization_id INT UNSIGNED NOT NULL,
    server_id INT UNSIGNED NULL,
    server_key INT UNSIGNED AS (COALESCE(server_id, 0)) PERSISTENT,
    name VARCHAR(253) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    verified_at BIGINT NULL,
    use_for_any BOOLEAN NOT NULL DEFAULT FALSE,
    created_at BIGINT NOT NULL,
    revision BIGINT UNSIGNED NOT NULL,
    UNIQUE KEY domain_name (organization_id, server_key, name),
    KEY domain_revision (revision)
) ENGINE=InnoDB;

-- domain_id 0: the installation's own key, which signs as the return-path domain.
CREATE TABLE dkim_key (
    id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    domain_id INT UNSIGNED NOT NULL,
    selector VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    algorithm ENUM('rsa', 'ed25519') NOT NULL,
    private_key TEXT CHARACTER SET ascii NOT NULL,
    public_key TEXT CHARACTER SET ascii NOT NULL,
    state ENUM('new', 'active', 'retired') NOT NULL,
    created_at BIGINT NOT NULL,
    revision BIGINT UNSIGNED NOT NULL,
    UNIQUE KEY dkim_key_selector (domain_id, selector),
    KEY dkim_key_revision (revision)
) ENGINE=InnoDB;

CREATE TABLE credential (
    id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    server_id INT UNSIGNED NOT NULL,
    type ENUM('smtp', 'api', 'smtp-ip') NOT NULL,
    name VARCHAR(255) NOT NULL,
    hold BOOLEAN NOT NULL DEFAULT FALSE,
    disabled_at BIGINT NULL,
    expires_at BIGINT NULL,
    last_used_at BIGINT NULL,
    created_at BIGINT NOT NULL,
    revision BIGINT UNSIGNED NOT NULL,
    UNIQUE KEY credential_name (server_id, name),
    KEY credential_revision (revision)
) ENGINE=InnoDB;

-- Same id as the credential; apart from it so that only programs that authenticate get a copy.
-- key_hash is SHA-256 of the key; cram_state the MD5 states of HMAC-MD5 (inner, outer) or NULL.
CREATE TABLE credential_secret (
    id INT UNSIGNED NOT NULL PRIMARY KEY,
    key_hash BINARY(32) NOT NULL,
    cram_state BINARY(32) NULL,
    revision BIGINT UNSIGNED NOT NULL,
    UNIQUE KEY credential_secret_hash (key_hash),
    KEY credential_secret_revision (revision)
) ENGINE=InnoDB;

CREATE TABLE ip_pool (
    id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    name VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    is_default BOOLEAN NOT NULL DEFAULT FALSE,
    created_at BIGINT NOT NULL,
    revision BIGINT UNSIGNED NOT NULL,
    UNIQUE KEY ip_pool_name (name),
    KEY ip_pool_revision (revision)
) ENGINE=InnoDB;

-- A lane is one way out; numbers are never used again.
CREATE TABLE lane (
    id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    kind ENUM('address', 'smarthost') NOT NULL
) ENGINE=InnoDB;

CREATE TABLE ip_address (
    id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    lane INT UNSIGNED NOT NULL,
    ip_pool_id INT UNSIGNED NOT NULL,
    ipv4 VARCHAR(15) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    ipv6 VARCHAR(39) CHARACTER SET ascii COLLATE ascii_bin NULL,
    helo VARCHAR(253) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    weight TINYINT UNSIGNED NOT NULL DEFAULT 100,
    created_at BIGINT NOT NULL,
    revision BIGINT UNSIGNED NOT NULL,
    UNIQUE KEY ip_address_lane (lane),
    UNIQUE KEY ip_address_ipv4 (ipv4),
    UNIQUE KEY ip_address_ipv6 (ipv6),
    KEY ip_address_pool (ip_pool_id),
    KEY ip_address_revision (revision)
) ENGINE=InnoDB;

-- How far each journal has been applied.
CREATE TABLE journal_position (
    node TINYINT UNSIGNED NOT NULL,
    program VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    epoch CHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    seq BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (node, program, epoch)
) ENGINE=InnoDB;

-- Events that could not be applied, or are of a type this version does not know, with their bytes.
CREATE TABLE event_rejected (
    node TINYINT UNSIGNED NOT NULL,
    program VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    epoch CHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    seq BIGINT UNSIGNED NOT NULL,
    type SMALLINT UNSIGNED NOT NULL,
    at BIGINT NOT NULL,
    bytes MEDIUMBLOB NOT NULL,
    reason VARCHAR(255) NOT NULL,
    PRIMARY KEY (node, program, epoch, seq)
) ENGINE=InnoDB;

-- How many days each history table is kept; every history table has a row.
CREATE TABLE retention (
    table_name VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    days SMALLINT UNSIGNED NOT NULL
) ENGINE=InnoDB;

-- One row per submission; times are Unix microseconds in all history tables.
CREATE TABLE submission (
    id BIGINT UNSIGNED NOT NULL,
    server_id INT UNSIGNED NOT NULL,
    credential_id INT UNSIGNED NULL,
    recipients INT UNSIGNED NOT NULL,
    queue_id VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL,
    mail_from VARBINARY(1024) NOT NULL,
    client_ip VARCHAR(45) CHARACTER SET ascii NULL,
    client_helo VARCHAR(255) NULL,
    client_tls VARCHAR(64) NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (id)
) ENGINE=InnoDB PARTITION BY RANGE (id) (PARTITION p_future VALUES LESS THAN MAXVALUE);

-- status_rank orders status as it moves (see the event applier); accepted_at NULL: a stub that an
-- early event made.
CREATE TABLE message (
    id BIGINT UNSIGNED NOT NULL,
    server_id INT UNSIGNED NOT NULL,
    credential_id INT UNSIGNED NULL,
    submission_id BIGINT UNSIGNED NULL,
    token CHAR(16) CHARACTER SET ascii COLLATE ascii_bin NULL,
    direction ENUM('outgoing', 'incoming') NOT NULL DEFAULT 'outgoing',
    status ENUM('Accepting', 'Pending', 'Held', 'SoftFail', 'Sent', 'HardFail', 'Bounced', 'Aborted',
                'Unknown') NOT NULL DEFAULT 'Accepting',
    status_at BIGINT NULL,
    queue_id VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL,
    mail_from VARBINARY(1024) NULL,
    return_path VARBINARY(512) NULL,
    rcpt_to VARBINARY(1024) NULL,
    rcpt_domain VARCHAR(255) CHARACTER SET ascii NULL,
    header_from VARCHAR(512) NULL,
    subject VARCHAR(200) NULL,
    header_message_id VARCHAR(998) NULL,
    size BIGINT UNSIGNED NULL,
    tag VARCHAR(255) NULL,
    lane INT UNSIGNED NULL,
    signing_domain VARCHAR(253) CHARACTER SET ascii NULL,
    signatures TEXT NULL,
    skipped TEXT NULL,
    store_path VARCHAR(64) CHARACTER SET ascii NULL,
    accepted_at BIGINT NULL,
    removed_at BIGINT NULL,
    PRIMARY KEY (id),
    KEY message_server (server_id, id),
    KEY message_rcpt (rcpt_to(64), id),
    KEY message_queue (queue_id),
    KEY message_status (status, id)
) ENGINE=InnoDB PARTITION BY RANGE (id) (PARTITION p_future VALUES LESS THAN MAXVALUE);

-- One row per attempt; attempt is made from the log line, so that the same line is the same row.
CREATE TABLE delivery (
    message_id BIGINT UNSIGNED NOT NULL,
    attempt BIGINT UNSIGNED NOT NULL,
    at BIGINT NOT NULL,
    status ENUM('Sent', 'SoftFail', 'HardFail') NOT NULL,
    queue_id VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL,
    rcpt_to VARBINARY(1024) NULL,
    dsn VARCHAR(16) CHARACTER SET ascii NULL,
    code SMALLINT UNSIGNED NULL,
    text VARCHAR(500) NULL,
    relay VARCHAR(320) NULL,
    source_ip VARCHAR(45) CHARACTER SET ascii NULL,
    helo VARCHAR(253) CHARACTER SET ascii NULL,
    tls VARCHAR(128) NULL,
    delay_ms BIGINT UNSIGNED NULL,
    PRIMARY KEY (message_id, attempt)
) ENGINE=InnoDB PARTITION BY RANGE (message_id) (PARTITION p_future VALUES LESS THAN MAXVALUE);

-- Refusals after authentication; id is a message id reserved for the refusal, so it partitions too.
CREATE TABLE refusal (
    id BIGINT UNSIGNED NOT NULL,
    server_id INT UNSIGNED NOT NULL,
    credential_id INT UNSIGNED NULL,
    queue_id VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL,
    mail_from VARBINARY(1024) NULL,
    rcpt_to VARBINARY(1024) NULL,
    client_ip VARCHAR(45) CHARACTER SET ascii NULL,
    code VARCHAR(16) CHARACTER SET ascii NOT NULL,
    text VARCHAR(500) NOT NULL,
    rule VARCHAR(64) CHARACTER SET ascii NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (id),
    KEY refusal_server (server_id, id),
    KEY refusal_rcpt (rcpt_to(64), id),
    KEY refusal_queue (queue_id)
) ENGINE=InnoDB PARTITION BY RANGE (id) (PARTITION p_future VALUES LESS THAN MAXVALUE);

INSERT INTO retention (table_name, days) VALUES
    ('submission', 60), ('message', 60), ('delivery', 60), ('refusal', 60);
