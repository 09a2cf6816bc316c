--- The tables of a show's journal. docs/internals/journal.md says who writes what when.
--- Times are seconds since 1970 (UTC), credits are integer thousandths.
local M = {}

--- Each step leads from one schema version to the next and is never changed once it has
--- been released: journals in the field have gone through it.
M.migrations = { {
  [[CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID]],

  [[CREATE TABLE runs (id INTEGER PRIMARY KEY, started REAL NOT NULL, ended REAL,
    pid INTEGER NOT NULL, host TEXT NOT NULL, script TEXT, version TEXT NOT NULL,
    status INTEGER)]],

  [[CREATE TABLE shots (name TEXT PRIMARY KEY, spec TEXT NOT NULL, seen REAL NOT NULL)
    WITHOUT ROWID]],

  -- What a policy has said for the n-th take of a shot; `redo` counts --force.
  [[CREATE TABLE decisions (shot TEXT NOT NULL, stage TEXT NOT NULL,
    ordinal INTEGER NOT NULL, redo INTEGER NOT NULL DEFAULT 0, decision TEXT NOT NULL,
    at REAL NOT NULL, PRIMARY KEY (shot, stage, ordinal)) WITHOUT ROWID]],

  -- `fingerprint` is that of the take's last stage.
  [[CREATE TABLE takes (id INTEGER PRIMARY KEY, shot TEXT NOT NULL,
    number INTEGER NOT NULL, ordinal INTEGER NOT NULL, fingerprint TEXT NOT NULL,
    model TEXT NOT NULL, why TEXT, seed INTEGER, created REAL NOT NULL,
    UNIQUE (shot, number), UNIQUE (shot, fingerprint))]],

  -- One paid call: a stage of the take that asked for it first. No two have the same
  -- `fingerprint`; it has no index, because whoever writes has them all in memory, and
  -- one would touch another page with each call.
  [[CREATE TABLE calls (id INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL,
    take INTEGER REFERENCES takes (id), stage TEXT NOT NULL, provider TEXT NOT NULL,
    endpoint TEXT NOT NULL, model TEXT NOT NULL, request TEXT NOT NULL,
    created REAL NOT NULL)]],

  -- One submission of a call, with its credits: `held` while the end is open, `cost`
  -- from then on. `budget` is the path of the budgets it counts in: "seq010/arm3".
  -- `changed` is the time of the last change of `state`. Those on the straight way have
  -- columns of their own (created, sent, accepted, ended, landed), all others are
  -- in history. (A trigger for it would make each update four times as slow.) `path` is
  -- from the show's folder; it, the size, the file's time and hash are those of a file
  -- that has landed.
  [[CREATE TABLE attempts (id INTEGER PRIMARY KEY, call INTEGER NOT NULL
    REFERENCES calls (id), n INTEGER NOT NULL, run INTEGER NOT NULL,
    state TEXT NOT NULL, held INTEGER NOT NULL, cost INTEGER,
    budget TEXT NOT NULL DEFAULT '', evidence INTEGER,
    task TEXT, handle TEXT, class TEXT, code TEXT, failure TEXT, status INTEGER,
    created REAL NOT NULL, changed REAL NOT NULL, sent REAL, accepted REAL, ended REAL,
    landed REAL, path TEXT, bytes INTEGER, mtime REAL, sha256 TEXT, UNIQUE (call, n))]],

  [[CREATE TABLE history (id INTEGER PRIMARY KEY, attempt INTEGER NOT NULL,
    at REAL NOT NULL, state TEXT NOT NULL, detail TEXT)]],

  -- The account as it was: credit balance, and how many generations of each model it
  -- counts in the last 24 hours ({"gen4_turbo": 12}).
  [[CREATE TABLE evidence (id INTEGER PRIMARY KEY, at REAL NOT NULL,
    provider TEXT NOT NULL, balance INTEGER, models TEXT NOT NULL)]],

  -- `content` is what moderation judges: the hash of prompt, references and model.
  [[CREATE TABLE moderated (content TEXT PRIMARY KEY, attempt INTEGER NOT NULL
    REFERENCES attempts (id), code TEXT, at REAL NOT NULL) WITHOUT ROWID]],
} }

--- The version that this program writes.
M.version = #M.migrations

return M
