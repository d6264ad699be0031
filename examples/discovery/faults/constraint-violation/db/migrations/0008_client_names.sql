-- Clients of the system before this one, as they were typed in there.
INSERT INTO client_accounts (name) VALUES ('Acme'), ('acme '), (' Initech');

ALTER TABLE client_accounts ADD CONSTRAINT client_accounts_name_trimmed CHECK (name = trim(name)) NOT VALID;
