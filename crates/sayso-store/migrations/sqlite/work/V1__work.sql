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

-- Messages to be sent, and what became of them. `routes` holds the channels and senders it may go by, of
-- which `route` is the one in force; `sender` is that one's. To whom, and what is said, is sealed, and
-- destroyed by an erasure. `reasons` is a set of reasons of the gate; `failure` a word of ours or a
-- provider's code. `channel` is the route's in force, `category` that of all of them. Times are
-- microseconds since 1970; each is absent until it has come. Since `counted_at` it counts for frequency
-- caps: it was claimed then, and did not fail before a provider had it.
CREATE TABLE message (
    row            INTEGER PRIMARY KEY,
    workspace      BLOB    NOT NULL,
    message        BLOB    NOT NULL,
    request_key    BLOB,
    request        BLOB    NOT NULL,
    sender         BLOB    NOT NULL,
    address_key    BLOB    NOT NULL,
    state          INTEGER NOT NULL,
    route          INTEGER NOT NULL,
    routes         BLOB    NOT NULL,
    sealed         BLOB,
    reasons        INTEGER NOT NULL DEFAULT 0,
    failure        TEXT,
    provider_id    TEXT,
    queued_at      INTEGER NOT NULL,
    due_at         INTEGER NOT NULL,
    expires_at     INTEGER NOT NULL,
    decided_at     INTEGER,
    began_at       INTEGER,
    handed_over_at INTEGER,
    sent_at        INTEGER,
    delivered_at   INTEGER,
    read_at        INTEGER,
    ended_at       INTEGER,
    channel        INTEGER NOT NULL,
    category       INTEGER NOT NULL,
    counted_at     INTEGER
);
CREATE UNIQUE INDEX message_by_id ON message (workspace, message);
CREATE UNIQUE INDEX message_by_request ON message (workspace, request_key) WHERE request_key IS NOT NULL;
CREATE INDEX message_of_workspace ON message (workspace);
CREATE INDEX message_of_address ON message (workspace, address_key, counted_at);
CREATE INDEX message_queued ON message (workspace, sender, due_at) WHERE state = 1;
CREATE INDEX message_claimed ON message (row) WHERE state = 2;
CREATE INDEX message_by_provider ON message (workspace, provider_id) WHERE provider_id IS NOT NULL;

-- What was ticked on an opt-in page, for the message that carries the reference: 7 days at the most. What
-- was ticked, and the page's evidence, are sealed. `request` tells one page's request from another's;
-- `taken_by` is the first event of the message that used it up.
CREATE TABLE reference (
    row           INTEGER PRIMARY KEY,
    workspace     BLOB    NOT NULL,
    reference     BLOB    NOT NULL,
    request       BLOB    NOT NULL,
    entry_point   BLOB    NOT NULL,
    address_key   BLOB,
    kept_at       INTEGER NOT NULL,
    taken_by      BLOB,
    sealed        BLOB    NOT NULL
);
CREATE UNIQUE INDEX reference_by_digits ON reference (workspace, reference);
CREATE INDEX reference_of_workspace ON reference (workspace);
CREATE INDEX reference_of_address ON reference (workspace, address_key) WHERE address_key IS NOT NULL;

-- What is pending until its address answers, and the question that went there, if one did: 10 days. What is
-- pending, and its evidence, are sealed. `answer_by` is a link (1) or a code (2), of which a keyed hash is
-- kept, and how many wrong ones were tried. Network, number block and country are keyed hashes, to be counted.
CREATE TABLE double_opt_in (
    row           INTEGER PRIMARY KEY,
    workspace     BLOB    NOT NULL,
    double_opt_in BLOB    NOT NULL,
    request       BLOB    NOT NULL,
    address_key   BLOB    NOT NULL,
    answer_by     INTEGER NOT NULL,
    code          BLOB,
    tries         INTEGER NOT NULL DEFAULT 0,
    network       BLOB,
    number_block  BLOB,
    country       BLOB,
    pending_at    INTEGER NOT NULL,
    kept_at       INTEGER NOT NULL,
    asked_at      INTEGER,
    answered_at   INTEGER,
    sealed        BLOB    NOT NULL
);
CREATE UNIQUE INDEX double_opt_in_by_id ON double_opt_in (workspace, double_opt_in);
CREATE UNIQUE INDEX double_opt_in_by_request ON double_opt_in (workspace, request);
CREATE INDEX double_opt_in_of_address ON double_opt_in (workspace, address_key, asked_at);
CREATE INDEX double_opt_in_asked ON double_opt_in (workspace, asked_at) WHERE asked_at IS NOT NULL;
CREATE INDEX double_opt_in_unasked ON double_opt_in (workspace) WHERE asked_at IS NULL;
CREATE INDEX double_opt_in_of_network ON double_opt_in (workspace, network, asked_at) WHERE asked_at IS NOT NULL;
CREATE INDEX double_opt_in_of_block ON double_opt_in (workspace, number_block, asked_at) WHERE asked_at IS NOT NULL;
CREATE INDEX double_opt_in_of_country ON double_opt_in (workspace, country, asked_at) WHERE asked_at IS NOT NULL;

-- What is counted by the hour (since 1970): of a sender, messages that went (1), people who said no (2)
-- or blocked it (3), inferred refusals (4), of which its first two days are of use; of a group of
-- inferred refusals, those that are held (5); of an entry point, all in the hour 0: pages shown (6), chats
-- that were opened from them (7), opt-ins (8), those confirmed (9), and people who said no later (2).
CREATE TABLE tally (
    workspace     BLOB    NOT NULL,
    counted       BLOB    NOT NULL,
    kind          INTEGER NOT NULL,
    hour          INTEGER NOT NULL,
    times         INTEGER NOT NULL,
    PRIMARY KEY (workspace, counted, kind, hour)
) WITHOUT ROWID;

-- Reports of providers on messages whose id at the provider is not written yet.
CREATE TABLE early_report (
    row           INTEGER PRIMARY KEY,
    workspace     BLOB    NOT NULL,
    provider_id   TEXT    NOT NULL,
    state         INTEGER NOT NULL,
    at            INTEGER NOT NULL,
    failure       TEXT,
    kept_at       INTEGER NOT NULL
);
CREATE INDEX early_report_of_message ON early_report (workspace, provider_id);
