-- SPDX-License-Identifier: MIT
-- Incoming mail: which addresses are taken in, and where what comes to them goes.

-- An HTTP endpoint has url, encoding, format, strip_replies, attachments and timeout (seconds); smtp and lmtp ones have host
-- (of lmtp also the path of a socket), port and tls; an address one has address. resolved: the address that host
-- had when it was looked up last (resolved_at), NULL: none that is allowed.
CREATE TABLE endpoint (
    id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    server_id INT UNSIGNED NOT NULL,
    name VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    kind ENUM('http', 'smtp', 'lmtp', 'address') NOT NULL,
    url VARCHAR(2000) CHARACTER SET ascii COLLATE ascii_bin NULL,
    encoding ENUM('json', 'form') NULL,
    format ENUM('hash', 'raw') NULL,
    strip_replies BOOLEAN NULL,
    attachments BOOLEAN NULL,
    timeout TINYINT UNSIGNED NULL,
    host VARCHAR(253) CHARACTER SET ascii COLLATE ascii_bin NULL,
    port SMALLINT UNSIGNED NULL,
    tls ENUM('none', 'may', 'encrypt', 'verify') NULL,
    address VARCHAR(320) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    resolved VARCHAR(45) CHARACTER SET ascii COLLATE ascii_bin NULL,
    resolved_at BIGINT NULL,
    created_at BIGINT NOT NULL,
    revision BIGINT UNSIGNED NOT NULL,
    UNIQUE KEY endpoint_name (server_id, name),
    KEY endpoint_revision (revision)
) ENGINE=InnoDB;

-- name: a local part, or * for all that have no route of their own. domain is the name of domain_id, and a name has one route in
-- it, whoever else has that domain. Both are NULL, and name __returnpath__, for what comes back to a
-- server and is of no message. token: local part of its forward address.
CREATE TABLE route (
    id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    server_id INT UNSIGNED NOT NULL,
    domain_id INT UNSIGNED NULL,
    domain VARCHAR(253) CHARACTER SET ascii COLLATE ascii_bin NULL,
    name VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    token CHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    mode ENUM('endpoint', 'accept', 'hold', 'bounce', 'reject') NOT NULL,
    spam_mode ENUM('mark', 'quarantine', 'fail') NOT NULL,
    created_at BIGINT NOT NULL,
    revision BIGINT UNSIGNED NOT NULL,
    UNIQUE KEY route_name (domain, name),
    UNIQUE KEY route_token (token),
    KEY route_server (server_id),
    KEY route_domain (domain_id),
    KEY route_revision (revision)
) ENGINE=InnoDB;

-- What a route of mode endpoint leads to, the first by position; each gets a message of its own.
CREATE TABLE route_endpoint (
    id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    route_id INT UNSIGNED NOT NULL,
    endpoint_id INT UNSIGNED NOT NULL,
    position TINYINT UNSIGNED NOT NULL,
    revision BIGINT UNSIGNED NOT NULL,
    UNIQUE KEY route_endpoint_once (route_id, endpoint_id),
    KEY route_endpoint_endpoint (endpoint_id),
    KEY route_endpoint_revision (revision)
) ENGINE=InnoDB;
