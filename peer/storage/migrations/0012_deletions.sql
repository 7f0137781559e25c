-- What was said about messages, held or not, in a row each: what they were edited to, what is felt about them.
CREATE TABLE said_of_message (
    feed INTEGER NOT NULL REFERENCES feed (id),
    number INTEGER NOT NULL,
    conversation INTEGER NOT NULL REFERENCES conversation (id),
    target BLOB NOT NULL,               -- entry ID of the message
    kind INTEGER NOT NULL,              -- of the entry
    author TEXT NOT NULL,
    revision INTEGER NOT NULL,
    entry BLOB NOT NULL,                -- its own entry ID
    hash BLOB NOT NULL,                 -- of its header
    stamp INTEGER NOT NULL,             -- by its author's clock
    emoji TEXT NOT NULL,                -- of a reaction; the text of an edit is in its entry
    is_last INTEGER NOT NULL,           -- the last word of this person, of this kind, about this message
    PRIMARY KEY (feed, number)
) STRICT, WITHOUT ROWID;
INSERT INTO said_of_message
    SELECT act.feed, act.number, conversation, target, kind, author, revision, act.entry, hash, stamp, emoji, 1
    FROM act JOIN entry USING (feed, number);
DROP TABLE act;
ALTER TABLE said_of_message RENAME TO act;
CREATE INDEX act_by_target ON act (conversation, target, is_last, kind, author);

-- Where a feed of somebody who went has ended; what is said beyond it counts for nothing.
ALTER TABLE feed ADD COLUMN ended INTEGER;

-- Entries that take a message back for everybody, whether or not the message is there.
CREATE TABLE deletion (
    feed INTEGER NOT NULL REFERENCES feed (id),
    number INTEGER NOT NULL,
    conversation INTEGER NOT NULL REFERENCES conversation (id),
    target BLOB NOT NULL,
    author TEXT NOT NULL,
    PRIMARY KEY (feed, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX deletion_by_target ON deletion (conversation, target);

-- The entries whose bodies are gone by that: the message, and its edits.
CREATE TABLE deleted_place (
    hash BLOB NOT NULL,                 -- of the header
    feed INTEGER NOT NULL,              -- of the deletion
    number INTEGER NOT NULL,
    named_feed BLOB NOT NULL,
    named_number INTEGER NOT NULL,
    is_message INTEGER NOT NULL,
    PRIMARY KEY (hash, feed, number),
    FOREIGN KEY (feed, number) REFERENCES deletion (feed, number)
) STRICT, WITHOUT ROWID;

ALTER TABLE message ADD COLUMN deleted_by TEXT;
-- Whether somebody here chose where it is saved: then it stays there when its message is deleted.
ALTER TABLE attachment ADD COLUMN chosen INTEGER NOT NULL DEFAULT 0;
CREATE INDEX message_deleted ON message (entry) WHERE kind = 'deleted';
