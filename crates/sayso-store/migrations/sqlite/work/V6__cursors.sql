-- How far into the ledger something was done that is done once for each of its rows. One that is lost is
-- begun anew: what is done is the same twice.
CREATE TABLE cursor (
    name          TEXT    PRIMARY KEY,
    row           INTEGER NOT NULL
) WITHOUT ROWID;
