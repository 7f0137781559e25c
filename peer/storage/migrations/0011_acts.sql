-- The last word of each person about each message, held or not: what they edited it to, what they feel about it.
CREATE TABLE act (
    conversation INTEGER NOT NULL REFERENCES conversation (id),
    target BLOB NOT NULL,               -- entry ID of the message
    kind INTEGER NOT NULL,              -- of the entry
    author TEXT NOT NULL,
    revision INTEGER NOT NULL,
    entry BLOB NOT NULL,                -- its own entry ID
    feed INTEGER NOT NULL REFERENCES feed (id),
    number INTEGER NOT NULL,
    stamp INTEGER NOT NULL,             -- by its author's clock
    emoji TEXT NOT NULL DEFAULT '',     -- of a reaction; the text of an edit is in its entry
    PRIMARY KEY (conversation, target, kind, author)
) STRICT, WITHOUT ROWID;

-- The message as it is now; as it was written stands in its entry.
ALTER TABLE message ADD COLUMN edited INTEGER;                          -- by the author's clock
ALTER TABLE message ADD COLUMN mentions BLOB NOT NULL DEFAULT x'90';    -- MessagePack
CREATE INDEX message_by_quoted ON message (reply_to) WHERE reply_to IS NOT NULL;
