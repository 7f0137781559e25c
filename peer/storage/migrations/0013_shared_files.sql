-- What was shared in a conversation is found without looking through its texts.
CREATE INDEX message_shared ON message (conversation, stamp, arrival) WHERE kind IN ('file', 'picture', 'voice');
