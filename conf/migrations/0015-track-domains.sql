-- SPDX-License-Identifier: MIT
-- Hosts that tracked links lead over. A host belongs to one server.

-- domain_id: the sending domain whose mail it serves; NULL: of all that have none of their own. excluded: domains whose links
-- stay as they are, with commas between. dns_right: the DNS led to the tracking host, and has not led elsewhere
-- for long since; dns_wrong_since: the first look that found so. dns_findings: JSON.
CREATE TABLE track_domain (
    id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    server_id INT UNSIGNED NOT NULL,
    host VARCHAR(253) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    domain_id INT UNSIGNED NULL,
    https BOOLEAN NOT NULL,
    clicks BOOLEAN NOT NULL,
    opens BOOLEAN NOT NULL,
    text_links BOOLEAN NOT NULL,
    excluded TEXT CHARACTER SET ascii COLLATE ascii_bin NULL,
    forced BOOLEAN NOT NULL,
    disabled_at BIGINT NULL,
    dns_right BOOLEAN NOT NULL DEFAULT FALSE,
    dns_wrong_since BIGINT NULL,
    dns_due_at BIGINT NOT NULL DEFAULT 0,
    dns_checked_at BIGINT NULL,
    dns_status ENUM('ok', 'missing', 'wrong', 'could not check') NULL,
    dns_findings MEDIUMTEXT NULL,
    created_at BIGINT NOT NULL,
    revision BIGINT UNSIGNED NOT NULL,
    UNIQUE KEY track_domain_host (host),
    KEY track_domain_server (server_id),
    KEY track_domain_domain (domain_id),
    KEY track_domain_due (dns_due_at),
    KEY track_domain_revision (revision)
) ENGINE=InnoDB;
