-- SPDX-License-Identifier: MIT
-- Tokens of the management API.

-- token_hash is the SHA-256 of the token, which is nowhere else. Without an owner a token is for the whole installation;
-- server_id is a server of organization_id. Times are Unix seconds.
CREATE TABLE api_token (
    id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    name VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    token_hash BINARY(32) NOT NULL,
    organization_id INT UNSIGNED NULL,
    server_id INT UNSIGNED NULL,
    disabled_at BIGINT NULL,
    expires_at BIGINT NULL,
    last_used_at BIGINT NULL,
    created_at BIGINT NOT NULL,
    revision BIGINT UNSIGNED NOT NULL,
    UNIQUE KEY api_token_name (name),
    UNIQUE KEY api_token_hash (token_hash),
    KEY api_token_organization (organization_id),
    KEY api_token_server (server_id)
) ENGINE=InnoDB;
