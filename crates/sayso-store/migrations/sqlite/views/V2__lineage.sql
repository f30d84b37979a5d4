-- Which ledger the views were made from, and up to where: see `lineage.rs`. Views without it are of an
-- earlier release, and are begun anew.
ALTER TABLE watermark ADD COLUMN lineage BLOB;

-- Random bytes that each write-ahead log has of its own, and those of the log before it: a log beside a
-- file that it does not continue is told by them.
ALTER TABLE watermark ADD COLUMN generation BLOB;
ALTER TABLE watermark ADD COLUMN generation_before BLOB;

-- The first 8 bytes of SHA-256 over the row's place and registers, so that a changed bit is not taken
-- for another state.
ALTER TABLE address ADD COLUMN digest BLOB;
