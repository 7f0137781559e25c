-- The last word of each device about what it holds of a group, signed: passed on to those who are not linked with it.
CREATE TABLE statement (
    conversation INTEGER NOT NULL REFERENCES conversation (id),
    device BLOB NOT NULL,
    number INTEGER NOT NULL,
    payload BLOB NOT NULL,
    signature BLOB NOT NULL,
    PRIMARY KEY (conversation, device)
) STRICT, WITHOUT ROWID;
