-- Why a message that is kept is not shown: bit 1: its author had gone by then.
ALTER TABLE message ADD COLUMN hidden INTEGER NOT NULL DEFAULT 0;
DROP INDEX message_unseen;
CREATE INDEX message_unseen ON message (conversation, stamp, arrival) WHERE seen = 0 AND hidden = 0;
