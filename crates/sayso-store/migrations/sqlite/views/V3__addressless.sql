-- Keys whose address nobody knows are counted at each start: this finds them without reading all.
CREATE INDEX address_unknown ON address (workspace) WHERE sealed IS NULL;
