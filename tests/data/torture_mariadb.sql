-- Every feature of a MariaDB schema that rows have to meet, once.
CREATE SEQUENCE numbers START WITH 1;
CREATE TABLE tenants (
    id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, code CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL UNIQUE, token UUID NOT NULL UNIQUE DEFAULT uuid(),
    name VARCHAR(30) CHARACTER SET latin1 NOT NULL, CHECK (code REGEXP '^[A-Z]{3}$')
);
CREATE TABLE people (
    id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, tenant_id INT UNSIGNED NOT NULL, mail VARCHAR(60) NOT NULL CHECK (mail REGEXP '^[^@ ]+@[^@ ]+[.][a-z]+$'),
    mood ENUM('sad', 'ok', 'it''s fine') NOT NULL, likes SET('tea', 'cake', 'o''clock') NOT NULL, boss_id BIGINT UNSIGNED,
    share DECIMAL(5, 2) CHECK (share BETWEEN 0 AND 100), born DATE CHECK (born BETWEEN '1900-01-01' AND '2020-01-01'), year_of YEAR NOT NULL,
    about JSON NOT NULL CHECK (json_type(about) = 'OBJECT'), `odd ``name"" % :x` INT NOT NULL CHECK (`odd ``name"" % :x` % 2 = 0),
    photo VARBINARY(40), digest BINARY(16) NOT NULL, ip INET6, ip4 INET4 NOT NULL, flags BIT(5) NOT NULL, active TINYINT(1) NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
    padded INT(8) UNSIGNED ZEROFILL NOT NULL, weight FLOAT NOT NULL CHECK (weight > 0), height DOUBLE UNSIGNED, wakes TIME NOT NULL, noted TEXT NOT NULL,
    changed TIMESTAMP NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(), made DATETIME(6) NOT NULL DEFAULT current_timestamp(6),
    mail_name VARCHAR(60) GENERATED ALWAYS AS (substring_index(mail, '@', 1)) STORED,
    host_length INT AS (char_length(mail) - char_length(mail_name) - 1) VIRTUAL,
    UNIQUE (tenant_id, id), UNIQUE (mail_name), CHECK (host_length >= 1),
    CONSTRAINT people_boss FOREIGN KEY (boss_id) REFERENCES people (id), FOREIGN KEY (tenant_id) REFERENCES tenants (id)
);
CREATE TABLE orders (
    id INT AUTO_INCREMENT PRIMARY KEY, tenant_id INT UNSIGNED NOT NULL, buyer_id BIGINT UNSIGNED NOT NULL, number VARCHAR(12) NOT NULL,
    subtotal DECIMAL(10, 2) NOT NULL CHECK (subtotal >= 0), tax DECIMAL(10, 2) NOT NULL CHECK (tax >= 0),
    total DECIMAL(10, 2) NOT NULL, CHECK (total = subtotal + tax), CHECK (total > 0),
    status VARCHAR(10) NOT NULL CHECK (status IN ('new', 'paid', 'sent')), paid_at DATETIME, external_id VARCHAR(40) UNIQUE,
    CHECK (status = 'new' OR paid_at IS NOT NULL),
    starts DATETIME NOT NULL, ends DATETIME NOT NULL, CHECK (ends > starts),
    FOREIGN KEY (tenant_id, buyer_id) REFERENCES people (tenant_id, id), FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    UNIQUE (tenant_id, number)
);
CREATE TABLE invoices (order_id INT PRIMARY KEY, note VARCHAR(100) CHECK (char_length(note) BETWEEN 5 AND 9), FOREIGN KEY (order_id) REFERENCES orders (id));
CREATE TABLE pairs (left_id BIGINT UNSIGNED NOT NULL, right_id BIGINT UNSIGNED NOT NULL, weight SMALLINT NOT NULL,
    PRIMARY KEY (left_id, right_id), FOREIGN KEY (left_id) REFERENCES people (id), FOREIGN KEY (right_id) REFERENCES people (id));
CREATE TABLE chicken (id INT AUTO_INCREMENT PRIMARY KEY, egg_id INT, label VARCHAR(20) NOT NULL,
    changed TIMESTAMP NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp());
CREATE TABLE egg (id INT AUTO_INCREMENT PRIMARY KEY, chicken_id INT NOT NULL, FOREIGN KEY (chicken_id) REFERENCES chicken (id));
ALTER TABLE chicken ADD FOREIGN KEY (egg_id) REFERENCES egg (id);
CREATE TABLE prefixed (id INT PRIMARY KEY, title VARCHAR(200) NOT NULL, UNIQUE (title(4)));
CREATE TABLE folded (id INT PRIMARY KEY, title VARCHAR(3) COLLATE utf8mb4_general_ci NOT NULL UNIQUE, CHECK (title REGEXP '^[[:alpha:]]+$'));
CREATE TABLE sequenced (id BIGINT NOT NULL DEFAULT nextval(numbers) PRIMARY KEY, small TINYINT UNSIGNED NOT NULL UNIQUE);
CREATE TABLE old_engine (id INT PRIMARY KEY, name VARCHAR(20) NOT NULL UNIQUE) ENGINE=MyISAM;
CREATE TABLE crash_safe (id INT PRIMARY KEY, amount DECIMAL(65, 30) NOT NULL) ENGINE=Aria;
CREATE TABLE of_memory (id INT PRIMARY KEY, amount DECIMAL(4, 4) NOT NULL) ENGINE=MEMORY;
CREATE TABLE versioned (id INT PRIMARY KEY, name VARCHAR(20) NOT NULL, up INT, FOREIGN KEY (up) REFERENCES versioned (id)) WITH SYSTEM VERSIONING;
CREATE TABLE periods (id INT PRIMARY KEY, a DATE NOT NULL, b DATE NOT NULL, started TIMESTAMP(6) GENERATED ALWAYS AS ROW START, ended TIMESTAMP(6) GENERATED ALWAYS AS ROW END,
    PERIOD FOR SYSTEM_TIME (started, ended), PERIOD FOR valid (a, b)) WITH SYSTEM VERSIONING;
CREATE TABLE events (id BIGINT NOT NULL, at DATE NOT NULL, kind VARCHAR(20) NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (year(at))
    (PARTITION p2024 VALUES LESS THAN (2025), PARTITION p2025 VALUES LESS THAN (2026));
CREATE TABLE regions (id INT NOT NULL, region VARCHAR(10) NOT NULL) PARTITION BY LIST COLUMNS (region) (PARTITION a VALUES IN ('north', 'sou''th'), PARTITION b VALUES IN ('west'));
CREATE TABLE hashed (id INT NOT NULL PRIMARY KEY, name VARCHAR(20)) PARTITION BY HASH (id) PARTITIONS 3;
CREATE TABLE places (id INT PRIMARY KEY, spot POINT NOT NULL, area POLYGON);
CREATE TABLE secrets (id INT PRIMARY KEY, tenant_id INT UNSIGNED NOT NULL, value VARCHAR(40) NOT NULL, FOREIGN KEY (tenant_id) REFERENCES tenants (id));
CREATE TABLE said (what VARCHAR(60) NOT NULL);
CREATE TRIGGER `never %` BEFORE INSERT ON secrets FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no row may come in';
CREATE TRIGGER told AFTER INSERT ON tenants FOR EACH ROW INSERT INTO said VALUES (concat('tenant % ', NEW.id));
CREATE TRIGGER told_first AFTER INSERT ON tenants FOR EACH ROW PRECEDES told SET @told = 1;
CREATE TABLE `select` (`from` INT PRIMARY KEY, `Where` INT NOT NULL, FOREIGN KEY (`Where`) REFERENCES orders (id));
CREATE TABLE impossible (id INT PRIMARY KEY, a INT NOT NULL CHECK (a > 5 AND a < 5));
CREATE TABLE of_impossible (id INT PRIMARY KEY, of INT NOT NULL, FOREIGN KEY (of) REFERENCES impossible (id));
