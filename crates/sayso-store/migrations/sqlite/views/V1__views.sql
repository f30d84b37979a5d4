-- Derived from events.db: may be deleted, and is rebuilt.

-- All that is known of an address, folded; the address itself, sealed, where it is known; and which
-- rows of the ledger are about it, for history, retries and refolding: for each, in the order they
-- were flushed, 6 bytes of the row and the first 4 of the event's id.
CREATE TABLE address (
    workspace     INTEGER NOT NULL,
    address_key   BLOB    NOT NULL,
    registers     BLOB    NOT NULL,
    sealed        BLOB,
    history       BLOB    NOT NULL,
    PRIMARY KEY (workspace, address_key)
) WITHOUT ROWID;

-- The keys without an address: few, and counted at each start.
CREATE INDEX addressless ON address (workspace) WHERE sealed IS NULL;

-- Where the event of a keyed request stands, whomever it is about: tells a key used twice.
CREATE TABLE keyed_event (
    workspace     INTEGER NOT NULL,
    event_id      BLOB    NOT NULL,
    row           INTEGER NOT NULL,
    PRIMARY KEY (workspace, event_id)
) WITHOUT ROWID;

-- A profile's addresses and attributes, sealed.
CREATE TABLE profile (
    workspace     INTEGER NOT NULL,
    profile       BLOB    NOT NULL,
    sealed        BLOB    NOT NULL,
    PRIMARY KEY (workspace, profile)
) WITHOUT ROWID;

-- The last row of the ledger that the views hold. One row.
CREATE TABLE watermark (
    only_row      INTEGER PRIMARY KEY CHECK (only_row = 1),
    row           INTEGER NOT NULL,
    row_version   INTEGER NOT NULL
);
INSERT INTO watermark (only_row, row, row_version) VALUES (1, 0, 1);

-- Imports whose retraction the views hold in full.
CREATE TABLE undone_import (
    workspace     INTEGER NOT NULL,
    import        BLOB    NOT NULL,
    PRIMARY KEY (workspace, import)
) WITHOUT ROWID;
