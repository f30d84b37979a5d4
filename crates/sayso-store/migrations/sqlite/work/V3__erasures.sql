-- What a reject may speak of: keyed hashes of the ends of numbers and the beginnings of emails in it, so
-- that an erasure finds what is to go without reading all. A reject without them (`hashed` is 0) is read.
ALTER TABLE reject ADD COLUMN hashed INTEGER NOT NULL DEFAULT 0;
CREATE TABLE reject_about (
    workspace     BLOB    NOT NULL,
    row           INTEGER NOT NULL,
    about         INTEGER NOT NULL,
    PRIMARY KEY (workspace, row, about)
) WITHOUT ROWID;
CREATE INDEX reject_by_about ON reject_about (workspace, about);
CREATE INDEX reject_unhashed ON reject (workspace) WHERE hashed = 0;

-- Erasures that were done, and how much each destroyed. The event in events.db is the truth and keeps the
-- reason; this is the list.
CREATE TABLE erasure (
    row           INTEGER PRIMARY KEY,
    workspace     BLOB    NOT NULL,
    event         BLOB    NOT NULL,
    address_key   BLOB    NOT NULL,
    erased_at     INTEGER NOT NULL,
    addresses     INTEGER NOT NULL,
    unlinked      INTEGER NOT NULL,
    events        INTEGER NOT NULL,
    rejects       INTEGER NOT NULL,
    messages      INTEGER NOT NULL,
    waiting       INTEGER NOT NULL
);
CREATE UNIQUE INDEX erasure_by_event ON erasure (workspace, event);
CREATE INDEX erasure_of_workspace ON erasure (workspace);
