-- How many files of a folder are here whole, before all of them are: kept where it is known, with the pieces.
ALTER TABLE attachment ADD COLUMN files_done INTEGER NOT NULL DEFAULT 0;
