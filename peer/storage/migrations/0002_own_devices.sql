-- Other devices of this account, by the locator's list at the moments when its person acted here: signed in with the
-- password, or came back after being told of the other device. Only what they write counts as our own consent.
CREATE TABLE own_device (
    device BLOB PRIMARY KEY
) STRICT, WITHOUT ROWID;
