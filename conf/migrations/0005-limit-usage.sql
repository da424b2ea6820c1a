-- SPDX-License-Identifier: MIT
-- What each node has counted of limits, so that all of them judge by the sum.

-- Nodes that read and write limit_usage, and when they were last seen (Unix microseconds, of this server's clock).
CREATE TABLE limit_node (
    node TINYINT UNSIGNED NOT NULL PRIMARY KEY,
    seen_at BIGINT UNSIGNED NOT NULL
) ENGINE=InnoDB;

-- A node's counter as it was at taken_at (as seen_at): slots are how many messages there were in each 60th of the period,
-- the newest first, which began age microseconds before. resets: how often the limit was reset. A row says
-- all there is, so writing it again changes nothing.
CREATE TABLE limit_usage (
    node TINYINT UNSIGNED NOT NULL,
    limit_id INT UNSIGNED NOT NULL,
    resets INT UNSIGNED NOT NULL,
    age BIGINT UNSIGNED NOT NULL,
    slots VARCHAR(700) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    taken_at BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (node, limit_id),
    KEY limit_usage_taken (taken_at)
) ENGINE=InnoDB;
