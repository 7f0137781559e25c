-- What membership of a group is folded from; one row an entry, beside the entry itself.
CREATE TABLE group_act (
    hash BLOB PRIMARY KEY,
    conversation INTEGER NOT NULL REFERENCES conversation (id),
    feed INTEGER NOT NULL REFERENCES feed (id),
    number INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX group_act_by_conversation ON group_act (conversation);
