-- A client account is a tenant; its engagements are the projects that it is worked on in.
CREATE TABLE client_accounts (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL UNIQUE CHECK (length(trim(name)) > 0),
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE engagements (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    client_account_id uuid NOT NULL REFERENCES client_accounts (id) ON DELETE RESTRICT,
    name text NOT NULL CHECK (length(trim(name)) > 0),
    started_on date NOT NULL,
    ended_on date,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (client_account_id, id),
    CHECK (ended_on >= started_on)
);
