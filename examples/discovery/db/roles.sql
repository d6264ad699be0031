-- What the application connects as. Migrations and seeds run as the owner.
CREATE ROLE discovery_app NOLOGIN;
