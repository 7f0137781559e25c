-- What was being written in a conversation and not sent yet.
ALTER TABLE conversation ADD COLUMN draft TEXT NOT NULL DEFAULT '';
