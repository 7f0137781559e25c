-- A safety number belongs to two devices: which one was compared, and which one was linked last.
ALTER TABLE device ADD COLUMN verified INTEGER NOT NULL DEFAULT 0;
ALTER TABLE device ADD COLUMN link_order INTEGER NOT NULL DEFAULT 0; -- grows with each link; 0: there was none
UPDATE device SET link_order = first_seen;
ALTER TABLE contact DROP COLUMN verified;
