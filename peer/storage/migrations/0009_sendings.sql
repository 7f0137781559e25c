-- Files of ours that are being read, or wait for that: they have no entry yet.
CREATE TABLE sending (
    number INTEGER PRIMARY KEY,          -- they are sent in this order
    entry BLOB NOT NULL UNIQUE,          -- the name that the entry will have
    conversation INTEGER NOT NULL REFERENCES conversation (id),
    path BLOB NOT NULL,                  -- as the file system has it, which need not be text
    caption TEXT NOT NULL,
    kind TEXT NOT NULL,                  -- empty: by the name
    duration REAL NOT NULL,              -- of a voice message, in seconds
    waveform BLOB NOT NULL,
    written_at INTEGER NOT NULL,         -- when somebody chose to send it, ms
    code TEXT NOT NULL DEFAULT '',       -- why it could not be sent
    reason TEXT NOT NULL DEFAULT ''
) STRICT;
