-- A provider's id of a message may hold the phone number that the message went to (a wamid does). It is
-- found by a keyed hash, shown from what is sealed, and both go with an erasure. `provider_id` stays empty
-- from here on: the first start moves what an earlier release wrote there, and then notes in `store` that no
-- id is in clear any more.
ALTER TABLE message ADD COLUMN provider_key BLOB;
ALTER TABLE message ADD COLUMN provider_sealed BLOB;
DROP INDEX message_by_provider;
CREATE INDEX message_by_provider_key ON message (workspace, provider_key) WHERE provider_key IS NOT NULL;
ALTER TABLE store ADD COLUMN ids_are_sealed INTEGER NOT NULL DEFAULT 0;

-- Reports wait for the end of a hand-over, and none outlives a stop: those of before are of no use.
DROP TABLE early_report;
CREATE TABLE early_report (
    row           INTEGER PRIMARY KEY,
    workspace     BLOB    NOT NULL,
    provider_key  BLOB    NOT NULL,
    state         INTEGER NOT NULL,
    at            INTEGER NOT NULL,
    failure       TEXT,
    kept_at       INTEGER NOT NULL
);
CREATE INDEX early_report_of_message ON early_report (workspace, provider_key);

-- Calls of providers may hold numbers inside such ids, which were not hashed: they are read.
DELETE FROM reject_about
    WHERE (workspace, row) IN (SELECT workspace, row FROM reject WHERE road = 'provider');
UPDATE reject SET hashed = 0 WHERE road = 'provider';

-- How many bytes of rejects the workspace had kept once this was: the oldest go by it.
ALTER TABLE reject ADD COLUMN bytes_up_to INTEGER NOT NULL DEFAULT 0;
UPDATE reject SET bytes_up_to = sums.bytes
    FROM (SELECT row, sum(length(sealed)) OVER (PARTITION BY workspace ORDER BY row) AS bytes FROM reject) AS sums
    WHERE reject.row = sums.row;
