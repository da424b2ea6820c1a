-- SPDX-License-Identifier: MIT
-- A quick way to the servers that have mail on hold by a rule, and to that mail, oldest first.
ALTER TABLE message ADD KEY message_hold_rule (on_hold, hold_rule, server_id, id);
