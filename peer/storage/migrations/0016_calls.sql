-- How a call ended stands among the messages, as its entry says it; nothing of all other messages.
ALTER TABLE message ADD COLUMN call BLOB;
