-- Files, pictures and voice messages: what their entries say, and how far they have come here.
CREATE TABLE attachment (
    entry BLOB PRIMARY KEY,              -- as in `message`
    conversation INTEGER NOT NULL REFERENCES conversation (id),
    body BLOB NOT NULL,                  -- the entry's, MessagePack
    state TEXT NOT NULL,
    pieces BLOB NOT NULL DEFAULT x'',    -- a bit for each piece that was verified; empty for none
    path TEXT NOT NULL DEFAULT '',       -- where it is, or will be once it is complete
    part TEXT NOT NULL DEFAULT '',       -- where its pieces are gathered until then
    mark INTEGER NOT NULL DEFAULT 0,     -- when the file at `path` was last changed, ns; 0: not known
    code TEXT NOT NULL DEFAULT '',       -- why it failed
    reason TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
CREATE INDEX attachment_by_state ON attachment (state);

-- The piece table of an attachment, as its entry's root proves it.
CREATE TABLE piece_table (
    entry BLOB PRIMARY KEY,
    content BLOB NOT NULL
) STRICT;

-- How much of an attachment other devices told to have, in bytes.
CREATE TABLE piece_holder (
    entry BLOB NOT NULL,
    device BLOB NOT NULL,
    user TEXT NOT NULL,
    done INTEGER NOT NULL,
    PRIMARY KEY (entry, device)
) STRICT, WITHOUT ROWID;
