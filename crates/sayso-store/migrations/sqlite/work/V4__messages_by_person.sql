-- Messages by person, the newest first: the row is the last column of every index. Those of erased people
-- are not in it.
CREATE INDEX message_of_person ON message (workspace, address_key) WHERE sealed IS NOT NULL;
