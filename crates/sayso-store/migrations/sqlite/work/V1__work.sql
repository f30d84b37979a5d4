-- What cannot be derived and is no event: what was refused, and who looked whom up. Rows belong to a
-- workspace by its id, not by its number in events.db: this file may meet another ledger.

-- Statements that were refused, for 30 days. What was sent, and the faults found in it, are sealed.
CREATE TABLE reject (
    row           INTEGER PRIMARY KEY,
    workspace     BLOB    NOT NULL,
    reject        BLOB    NOT NULL,
    refused_at    INTEGER NOT NULL,
    road          TEXT    NOT NULL,
    source        TEXT    NOT NULL,
    line          INTEGER,
    code          TEXT    NOT NULL,
    sealed        BLOB    NOT NULL
);
CREATE INDEX reject_of_workspace ON reject (workspace);

-- Who looked a person up: one row for each address or profile that was asked for. `asked` is 1 and an
-- address key, or 2 and the id of a profile; `api_key` is absent for the operator of this machine.
CREATE TABLE look_up (
    row           INTEGER PRIMARY KEY,
    workspace     BLOB    NOT NULL,
    looked_up_at  INTEGER NOT NULL,
    api_key       BLOB,
    route         TEXT    NOT NULL,
    request       TEXT    NOT NULL,
    asked         BLOB    NOT NULL
);
CREATE INDEX look_up_of_workspace ON look_up (workspace);
CREATE INDEX look_up_of_person ON look_up (workspace, asked);

-- What this file is. One row.
CREATE TABLE store (
    only_row      INTEGER PRIMARY KEY CHECK (only_row = 1),
    row_version   INTEGER NOT NULL
);
INSERT INTO store (only_row, row_version) VALUES (1, 1);
