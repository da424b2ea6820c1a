-- SPDX-License-Identifier: MIT
-- How far history is: what a node's journals said before told_until (Unix microseconds, that node's clock) is in it.

CREATE TABLE node_history (
    node TINYINT UNSIGNED NOT NULL PRIMARY KEY,
    told_until BIGINT NOT NULL
) ENGINE=InnoDB;
