-- Every feature of a SQLite schema that rows have to meet, once.
CREATE TABLE tenants (
    id INTEGER PRIMARY KEY AUTOINCREMENT, code TEXT NOT NULL COLLATE NOCASE UNIQUE CHECK (code GLOB '[A-Z][A-Z][A-Z]'), name VARCHAR(30) NOT NULL
);
CREATE TABLE people (
    id INTEGER PRIMARY KEY, tenant_id INTEGER NOT NULL REFERENCES tenants, mail TEXT NOT NULL CHECK (mail LIKE '%_@_%.__%'),
    boss_id INTEGER REFERENCES people CHECK (boss_id <> id), share NUMERIC CHECK (share BETWEEN 0 AND 100),
    born DATE CHECK (born BETWEEN '1900-01-01' AND '2020-01-01'), about JSON NOT NULL CHECK (json_valid(about) AND json_type(about) = 'object'),
    "odd ""name"" % ? :x" INTEGER NOT NULL CHECK ("odd ""name"" % ? :x" % 2 = 0), photo BLOB, active BOOLEAN NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
    mail_name TEXT GENERATED ALWAYS AS (substr(mail, 1, instr(mail, '@') - 1)) STORED,
    host_length INTEGER AS (length(mail) - length(mail_name) - 1) VIRTUAL CHECK (host_length >= 1),
    UNIQUE (tenant_id, id), UNIQUE (tenant_id, mail)
);
CREATE UNIQUE INDEX people_mail ON people (lower(mail));
CREATE TABLE orders (
    id INTEGER PRIMARY KEY, tenant_id INT NOT NULL, buyer_id INT NOT NULL, number VARCHAR(12) NOT NULL CHECK (length(number) <= 12),
    subtotal DECIMAL(10, 2) NOT NULL CHECK (subtotal >= 0), tax DECIMAL(10, 2) NOT NULL CHECK (tax >= 0), total DECIMAL(10, 2) NOT NULL,
    status TEXT NOT NULL DEFAULT 'new' CHECK (status IN ('new', 'paid', 'sent')), paid_at DATETIME, external_id TEXT,
    starts DATETIME NOT NULL, ends DATETIME NOT NULL,
    CHECK (total = subtotal + tax), CHECK (total > 0), CHECK (status = 'new' OR paid_at IS NOT NULL), CHECK (ends > starts),
    FOREIGN KEY (tenant_id, buyer_id) REFERENCES people (tenant_id, id), FOREIGN KEY (tenant_id) REFERENCES tenants,
    UNIQUE (tenant_id, number)
);
CREATE UNIQUE INDEX orders_external ON orders (external_id) WHERE external_id IS NOT NULL;
CREATE TABLE invoices (order_id INTEGER PRIMARY KEY REFERENCES orders, note TEXT CHECK (length(note) BETWEEN 5 AND 9)) WITHOUT ROWID;
CREATE TABLE pairs (left_id INTEGER NOT NULL REFERENCES people, right_id INTEGER NOT NULL REFERENCES people, weight INT NOT NULL,
    PRIMARY KEY (left_id, right_id)) WITHOUT ROWID;
CREATE TABLE chicken (id INTEGER PRIMARY KEY, egg_id INTEGER REFERENCES egg, label TEXT NOT NULL);
CREATE TABLE egg (id INTEGER PRIMARY KEY, chicken_id INTEGER NOT NULL REFERENCES chicken DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE tree (code TEXT NOT NULL, up TEXT REFERENCES tree, PRIMARY KEY (code)) WITHOUT ROWID;
CREATE TABLE itself (id INTEGER PRIMARY KEY, same INTEGER NOT NULL REFERENCES itself);
CREATE TABLE strictly (
    id INTEGER PRIMARY KEY, whole INT NOT NULL, real REAL NOT NULL CHECK (typeof(real) = 'real'), text TEXT NOT NULL UNIQUE, bytes BLOB NOT NULL,
    anything ANY NOT NULL, ratio REAL AS (whole / 2.0) STORED
) STRICT;
CREATE TABLE replaced (
    id INTEGER PRIMARY KEY ON CONFLICT REPLACE, name TEXT NOT NULL ON CONFLICT IGNORE UNIQUE ON CONFLICT REPLACE,
    short TEXT NOT NULL CHECK (length(short) = 3), level INTEGER CHECK (level > 10)
);
CREATE UNIQUE INDEX replaced_short ON replaced (substr(short, 1, 2));
CREATE TABLE untyped (a PRIMARY KEY, b NOT NULL, c CHECK (typeof(c) = 'text' OR c IS NULL));
CREATE TABLE ledger (debit INTEGER NOT NULL, credit INTEGER NOT NULL, CHECK ((debit = 0) <> (credit = 0)), CHECK (debit >= 0 AND credit >= 0));
CREATE TABLE "other select" ("from" INTEGER PRIMARY KEY, "Where" INTEGER NOT NULL REFERENCES orders (id), "_rowid_" TEXT, oid TEXT, rowid TEXT);
CREATE TABLE secrets (id INTEGER PRIMARY KEY, tenant_id INTEGER NOT NULL REFERENCES tenants, value TEXT NOT NULL);
CREATE TABLE log (said TEXT NOT NULL);
CREATE TRIGGER "never %" BEFORE INSERT ON secrets BEGIN SELECT RAISE(ABORT, 'no row may come in'); END;
CREATE TRIGGER logged AFTER INSERT ON tenants BEGIN INSERT INTO log VALUES ('tenant ' || new.id); END;
CREATE VIEW codes AS SELECT code FROM tenants;
CREATE TRIGGER codes_in INSTEAD OF INSERT ON codes BEGIN INSERT INTO tenants (code, name) VALUES (new.code, 'by view'); END;
CREATE TABLE impossible (id INTEGER PRIMARY KEY, a INTEGER NOT NULL CHECK (a > 5 AND a < 5));
CREATE TABLE of_impossible (id INTEGER PRIMARY KEY, of INTEGER NOT NULL REFERENCES impossible);
CREATE TABLE nowhere (id INTEGER PRIMARY KEY, there INTEGER REFERENCES not_there (id));
