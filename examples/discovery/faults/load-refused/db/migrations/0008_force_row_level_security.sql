-- The owner is a tenant like any other.
CREATE POLICY everybody ON assets USING (client_account_id = current_client_account());
ALTER TABLE assets FORCE ROW LEVEL SECURITY;
