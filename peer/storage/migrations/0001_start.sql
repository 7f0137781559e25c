-- What an account keeps. Names travel as on the wire: user IDs as text, hashes and IDs as blobs, times in ms.

CREATE TABLE setting (
    key TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- People. Whether they are friends is not here: it is folded from `consent`.
CREATE TABLE contact (
    user TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    blocked INTEGER NOT NULL DEFAULT 0,
    verified INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- Pinned device keys. The first one seen of a person is trusted, each later one waits for a click.
CREATE TABLE device (
    device BLOB PRIMARY KEY,
    user TEXT NOT NULL,
    key BLOB NOT NULL,
    confirmed INTEGER NOT NULL,
    first_seen INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX device_by_user ON device (user);

CREATE TABLE device_list (
    user TEXT PRIMARY KEY,
    number INTEGER NOT NULL,
    payload BLOB NOT NULL,
    signature BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE conversation (
    id INTEGER PRIMARY KEY,
    conversation BLOB NOT NULL UNIQUE,
    user TEXT,                          -- the other person; NULL in a group
    incarnation BLOB NOT NULL           -- of the feed that this device writes here now
) STRICT;

CREATE TABLE feed (
    id INTEGER PRIMARY KEY,
    conversation INTEGER NOT NULL REFERENCES conversation (id),
    feed BLOB NOT NULL,
    author TEXT NOT NULL,
    key BLOB NOT NULL,
    certificate BLOB NOT NULL,
    head INTEGER NOT NULL,
    head_hash BLOB NOT NULL,
    stamp INTEGER NOT NULL,             -- of the head, as shown
    closed INTEGER NOT NULL DEFAULT 0,  -- a proof of two versions ended it
    lacking BLOB NOT NULL DEFAULT x'90', -- ranges of absent bodies, MessagePack
    UNIQUE (conversation, feed)
) STRICT;

CREATE TABLE entry (
    feed INTEGER NOT NULL REFERENCES feed (id),
    number INTEGER NOT NULL,
    hash BLOB NOT NULL,
    header BLOB NOT NULL,
    signature BLOB NOT NULL,
    body BLOB,
    entry BLOB,                         -- the entry ID in the body, where the body is there
    PRIMARY KEY (feed, number)
) STRICT, WITHOUT ROWID;

-- Entries that fell out of a closed feed. Their author gets them back, and writes them again elsewhere.
CREATE TABLE orphan (
    feed INTEGER NOT NULL REFERENCES feed (id),
    hash BLOB NOT NULL,
    number INTEGER NOT NULL,
    header BLOB NOT NULL,
    signature BLOB NOT NULL,
    body BLOB,
    PRIMARY KEY (feed, hash)
) STRICT, WITHOUT ROWID;

-- Two signed headers with one number: why a feed is closed.
CREATE TABLE equivocation (
    feed INTEGER PRIMARY KEY REFERENCES feed (id),
    first_header BLOB NOT NULL,
    first_signature BLOB NOT NULL,
    second_header BLOB NOT NULL,
    second_signature BLOB NOT NULL
) STRICT;

-- What consent is folded from; one row an entry, whichever feed it came in.
CREATE TABLE consent (
    entry BLOB PRIMARY KEY,
    conversation INTEGER NOT NULL REFERENCES conversation (id),
    by_me INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    body BLOB NOT NULL,
    stamp INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX consent_by_conversation ON consent (conversation);

-- What the screen shows. `feed` and `number` are where the entry stands now; it may have been written again.
CREATE TABLE message (
    arrival INTEGER PRIMARY KEY,         -- messages are never deleted, so it only ever grows
    entry BLOB NOT NULL UNIQUE,
    conversation INTEGER NOT NULL REFERENCES conversation (id),
    feed INTEGER NOT NULL REFERENCES feed (id),
    number INTEGER NOT NULL,
    author TEXT NOT NULL,
    mine INTEGER NOT NULL,
    kind TEXT NOT NULL,
    text TEXT NOT NULL,
    reply_to BLOB,
    stamp INTEGER NOT NULL,
    seen INTEGER NOT NULL               -- displayed here (our own always are)
) STRICT;
CREATE INDEX message_in_order ON message (conversation, stamp, arrival);
CREATE INDEX message_by_place ON message (feed, number);
CREATE INDEX message_unseen ON message (conversation) WHERE seen = 0;

-- What other devices told they hold, and what people told they were shown.
CREATE TABLE holder (
    feed INTEGER NOT NULL REFERENCES feed (id),
    device BLOB NOT NULL,
    user TEXT NOT NULL,
    floor INTEGER NOT NULL,
    head INTEGER NOT NULL,
    lacking BLOB NOT NULL,
    PRIMARY KEY (feed, device)
) STRICT, WITHOUT ROWID;

CREATE TABLE displayed (
    feed INTEGER NOT NULL REFERENCES feed (id),
    user TEXT NOT NULL,
    ranges BLOB NOT NULL,
    PRIMARY KEY (feed, user)
) STRICT, WITHOUT ROWID;
