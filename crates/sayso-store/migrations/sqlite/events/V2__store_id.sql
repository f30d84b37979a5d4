-- Which store this is: 16 random bytes, noted in work.db too, so that files of two stores are told apart.
ALTER TABLE store ADD COLUMN store_id BLOB;
