-- Every feature of a schema that rows have to meet, once.
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN email AS text CHECK (VALUE ~ '^[^@ ]+@[^@ ]+[.][a-z]+$');
CREATE DOMAIN percent AS numeric(5, 2) CHECK (VALUE BETWEEN 0 AND 100);
CREATE TABLE tenants (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), code char(3) NOT NULL UNIQUE CHECK (code ~ '^[A-Z]{3}$'));
CREATE TABLE people (
    id bigserial PRIMARY KEY, tenant_id uuid NOT NULL REFERENCES tenants, mail email NOT NULL, mood mood NOT NULL,
    boss_id bigint REFERENCES people, share percent, born date CHECK (born BETWEEN '1900-01-01' AND '2020-01-01'),
    tags text[] NOT NULL DEFAULT '{}', about jsonb NOT NULL CHECK (jsonb_typeof(about) = 'object'),
    "odd ""name"" % :x" integer NOT NULL CHECK ("odd ""name"" % :x" % 2 = 0), photo bytea, ip inet,
    mail_name text GENERATED ALWAYS AS (split_part(mail::text, '@', 1)) STORED,
    UNIQUE (tenant_id, id), CHECK (boss_id <> id)
);
CREATE UNIQUE INDEX people_mail ON people (lower(mail::text));
CREATE TABLE orders (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant_id uuid NOT NULL, buyer_id bigint NOT NULL, number varchar(12) NOT NULL,
    subtotal numeric(10, 2) NOT NULL CHECK (subtotal >= 0), tax numeric(10, 2) NOT NULL CHECK (tax >= 0),
    total numeric(10, 2) NOT NULL, CHECK (total = subtotal + tax), CHECK (total > 0),
    status text NOT NULL CHECK (status IN ('new', 'paid', 'sent')), paid_at timestamptz, external_id text,
    CHECK (status = 'new' OR paid_at IS NOT NULL),
    starts timestamptz NOT NULL, ends timestamptz NOT NULL, CHECK (ends > starts),
    FOREIGN KEY (tenant_id, buyer_id) REFERENCES people (tenant_id, id), FOREIGN KEY (tenant_id) REFERENCES tenants,
    UNIQUE (tenant_id, number)
);
CREATE UNIQUE INDEX orders_external ON orders (external_id) WHERE external_id IS NOT NULL;
CREATE TABLE bookings (room integer NOT NULL CHECK (room BETWEEN 1 AND 9), during tstzrange NOT NULL,
    EXCLUDE USING gist (during WITH &&));
CREATE TABLE invoices (order_id integer PRIMARY KEY REFERENCES orders, note text CHECK (length(note) BETWEEN 5 AND 9));
CREATE TABLE pairs (left_id bigint REFERENCES people, right_id bigint REFERENCES people, weight smallint NOT NULL,
    PRIMARY KEY (left_id, right_id));
CREATE TABLE chicken (id serial PRIMARY KEY, egg_id integer, label text NOT NULL);
CREATE TABLE egg (id serial PRIMARY KEY, chicken_id integer NOT NULL REFERENCES chicken);
ALTER TABLE chicken ADD FOREIGN KEY (egg_id) REFERENCES egg;
CREATE TABLE events (id bigint NOT NULL, at date NOT NULL, kind text NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE secrets (id serial PRIMARY KEY, tenant_id uuid NOT NULL REFERENCES tenants, value text NOT NULL);
ALTER TABLE secrets ENABLE ROW LEVEL SECURITY;
ALTER TABLE secrets FORCE ROW LEVEL SECURITY;
CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no row may come in'; END $$;
CREATE TRIGGER never BEFORE INSERT ON secrets FOR EACH ROW EXECUTE FUNCTION never();
CREATE SCHEMA "other Schema";
CREATE TABLE "other Schema"."select" ("from" integer PRIMARY KEY, "Where" integer NOT NULL REFERENCES orders (id));
CREATE TABLE impossible (id integer PRIMARY KEY, a integer NOT NULL CHECK (a > 5 AND a < 5));
CREATE TABLE of_impossible (id integer PRIMARY KEY, of integer NOT NULL REFERENCES impossible);
CREATE TABLE shapeless (id integer PRIMARY KEY, way polygon NOT NULL, any_way pg_lsn);
