-- SPDX-License-Identifier: MIT
-- What was tracked in a message, and who came by its links.

-- links is a JSON list of [ordinal, URL]; more of them were left out of it. skipped is a JSON object of reasons and counts.
CREATE TABLE tracking (
    message_id BIGINT UNSIGNED NOT NULL,
    at BIGINT NOT NULL,
    host VARCHAR(253) CHARACTER SET ascii NULL,
    links MEDIUMTEXT NULL,
    more INT UNSIGNED NULL,
    pixel BOOLEAN NOT NULL,
    growth BIGINT NULL,
    skipped TEXT NULL,
    PRIMARY KEY (message_id)
) ENGINE=InnoDB PARTITION BY RANGE (message_id) (PARTITION p_future VALUES LESS THAN MAXVALUE);

-- visit is made from kind, ordinal, client, method and the second, so that an event that is applied again is the same row, and
-- who asks many times within a second is one. A visit may come before the message, and long after its history is gone.
CREATE TABLE visit (
    message_id BIGINT UNSIGNED NOT NULL,
    visit BIGINT UNSIGNED NOT NULL,
    at BIGINT NOT NULL,
    kind ENUM('click', 'open') NOT NULL,
    server_id INT UNSIGNED NOT NULL,
    ordinal SMALLINT UNSIGNED NULL,
    url VARCHAR(2000) NULL,
    host VARCHAR(253) CHARACTER SET ascii NULL,
    ip VARCHAR(45) CHARACTER SET ascii NULL,
    agent VARCHAR(512) NULL,
    method ENUM('GET', 'HEAD') NOT NULL,
    PRIMARY KEY (message_id, visit)
) ENGINE=InnoDB PARTITION BY RANGE (message_id) (PARTITION p_future VALUES LESS THAN MAXVALUE);

INSERT INTO retention (table_name, days)
    SELECT 'tracking', days FROM retention WHERE table_name = 'message';
INSERT INTO retention (table_name, days)
    SELECT 'visit', days FROM retention WHERE table_name = 'message';
