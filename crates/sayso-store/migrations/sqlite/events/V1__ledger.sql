-- The truth: one row for each event, in commit order, never updated but for the sealed part, which
-- an erasure overwrites. No secondary index: an acknowledgement waits for this append alone.
CREATE TABLE event (
    row           INTEGER PRIMARY KEY,
    workspace     INTEGER NOT NULL,
    address_key   BLOB    NOT NULL,
    event_id      BLOB    NOT NULL,
    recorded_at   INTEGER NOT NULL,
    request_hash  BLOB    NOT NULL,
    leaf_hash     BLOB    NOT NULL,
    facts         BLOB    NOT NULL,
    sealed        BLOB
);

-- Workspaces, and the secrets of each, sealed by the master key.
CREATE TABLE workspace (
    workspace     INTEGER PRIMARY KEY,
    id            BLOB    NOT NULL UNIQUE,
    name          TEXT    NOT NULL,
    mode          TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    secrets       BLOB    NOT NULL
);

-- Configuration is the fold of these changes, in order.
CREATE TABLE configuration (
    row           INTEGER PRIMARY KEY,
    workspace     INTEGER NOT NULL,
    changed_at    INTEGER NOT NULL,
    change        BLOB    NOT NULL
);

-- What this file is. One row.
CREATE TABLE store (
    only_row        INTEGER PRIMARY KEY CHECK (only_row = 1),
    row_version     INTEGER NOT NULL,
    key_fingerprint BLOB    NOT NULL,
    -- The phone metadata by which numbers were last read into keys.
    phone_metadata  TEXT    NOT NULL
);
