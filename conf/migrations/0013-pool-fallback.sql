-- SPDX-License-Identifier: MIT
-- What becomes of a pool's mail where no address of it takes any: the default transport, or it waits.
ALTER TABLE ip_pool
    ADD fallback ENUM('default', 'defer') NOT NULL DEFAULT 'default' AFTER is_default;
