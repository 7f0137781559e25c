-- The first unread message is found without looking at all the others.
DROP INDEX message_unseen;
CREATE INDEX message_unseen ON message (conversation, stamp, arrival) WHERE seen = 0;
