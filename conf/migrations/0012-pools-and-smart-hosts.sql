-- SPDX-License-Identifier: MIT
-- Which way mail takes: who may use a pool, smart hosts, rules, and what becomes of a lane that is gone.

-- A pool that is the default is open to all organizations; any other to those with a row here.
CREATE TABLE ip_pool_organization (
    ip_pool_id INT UNSIGNED NOT NULL,
    organization_id INT UNSIGNED NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (ip_pool_id, organization_id),
    KEY ip_pool_organization_organization (organization_id)
) ENGINE=InnoDB;

-- What is in use stays allowed.
INSERT INTO ip_pool_organization (ip_pool_id, organization_id, created_at)
    SELECT DISTINCT ip_pool_id, organization_id, UNIX_TIMESTAMP() FROM server WHERE ip_pool_id IS NOT NULL;

-- A lane outlives its address or smart host: mail that waits for it is told another way.
ALTER TABLE lane
    ADD ip_pool_id INT UNSIGNED NULL,
    ADD removed_at BIGINT NULL,
    ADD revision BIGINT UNSIGNED NOT NULL DEFAULT 0,
    ADD KEY lane_revision (revision);
UPDATE revision_counter SET revision = revision + 1 WHERE EXISTS (SELECT 1 FROM lane);
UPDATE lane LEFT JOIN ip_address a ON a.lane = lane.id
    SET lane.ip_pool_id = a.ip_pool_id, lane.removed_at = IF(a.id IS NULL, UNIX_TIMESTAMP(), NULL),
    lane.revision = (SELECT revision FROM revision_counter);

-- forced: it was made active although its check had failed.
ALTER TABLE ip_address
    ADD forced BOOLEAN NOT NULL DEFAULT FALSE AFTER weight;

-- Owned by an organization, a server of it, or nobody (for all). The password is in a file of each node.
CREATE TABLE smarthost (
    id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    lane INT UNSIGNED NOT NULL,
    name VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    organization_id INT UNSIGNED NULL,
    server_id INT UNSIGNED NULL,
    host VARCHAR(253) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    port SMALLINT UNSIGNED NOT NULL,
    tls ENUM('none', 'may', 'encrypt', 'verify') NOT NULL,
    username VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    secret_file VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    is_default BOOLEAN NOT NULL DEFAULT FALSE,
    created_at BIGINT NOT NULL,
    revision BIGINT UNSIGNED NOT NULL,
    UNIQUE KEY smarthost_lane (lane),
    UNIQUE KEY smarthost_name (name),
    KEY smarthost_revision (revision)
) ENGINE=InnoDB;

ALTER TABLE server
    ADD smarthost_id INT UNSIGNED NULL AFTER ip_pool_id,
    ADD KEY server_smarthost (smarthost_id);

-- One of pool and smart host; conditions as lib/base/condition.h has them, at least one.
CREATE TABLE lane_rule (
    id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    organization_id INT UNSIGNED NOT NULL,
    server_id INT UNSIGNED NULL,
    ip_pool_id INT UNSIGNED NULL,
    smarthost_id INT UNSIGNED NULL,
    from_conditions TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    to_conditions TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    created_at BIGINT NOT NULL,
    revision BIGINT UNSIGNED NOT NULL,
    KEY lane_rule_owner (organization_id, server_id),
    KEY lane_rule_pool (ip_pool_id),
    KEY lane_rule_smarthost (smarthost_id),
    KEY lane_rule_revision (revision)
) ENGINE=InnoDB;
