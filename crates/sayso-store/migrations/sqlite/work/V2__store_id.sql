-- The store that this file belongs to, as events.db names it; absent in a file of before.
ALTER TABLE store ADD COLUMN store_id BLOB;
