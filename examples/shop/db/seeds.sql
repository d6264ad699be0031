-- A small shop: 10 sellers, 50 buyers, 80 products, 150 orders with 300 items, and the payments of those that are paid.
-- Everything is found by what it is called (email, sku, number), so that no key is guessed.

INSERT INTO users (email, name, security_clearance, performance_score)
SELECT format('seller%s@shop.example', n), format('Seller %s', n), 1 + n % 5, 50 + n * 4.5
  FROM generate_series(1, 10) AS n;

INSERT INTO users (email, name, failed_logins)
SELECT format('buyer%s@mail.example', n), format('Buyer %s', n), n % 3
  FROM generate_series(1, 50) AS n;

INSERT INTO products (vendedor_id, sku, name, precio_venta, precio_costo, comision, peso)
SELECT users.id, format('SKU-%s', n), format('Product %s', n), 5 + n * 1.25, 2 + n * 0.75, round(n * 0.1, 2), n * 0.05
  FROM generate_series(1, 80) AS n
  JOIN users ON users.email = format('seller%s@shop.example', 1 + n % 10);

-- What each order consists of; the orders are added up from it.
CREATE TEMPORARY TABLE wanted AS
SELECT format('S-%s', 10000 + n) AS number, n, products.id AS product_id, sku, name, 1 + (n + k) % 3 AS quantity, precio_venta
  FROM generate_series(1, 150) AS n
  CROSS JOIN LATERAL generate_series(1, 1 + n % 3) AS k
  JOIN products ON sku = format('SKU-%s', 1 + (n * 7 + k * 13) % 80);

INSERT INTO orders (buyer_id, number, status, subtotal, tax, shipping, discount, total, shipping_name)
SELECT users.id, number, CASE n % 5 WHEN 0 THEN 'open' WHEN 1 THEN 'cancelled' ELSE 'paid' END,
       subtotal, tax, shipping, discount, subtotal + tax + shipping - discount, users.name
  FROM (SELECT number, n, sum(quantity * precio_venta) AS subtotal, round(sum(quantity * precio_venta) * 0.21, 2) AS tax,
               CASE WHEN n % 4 = 0 THEN 0 ELSE 4.95 END AS shipping, CASE WHEN n % 10 = 0 THEN 2.50 ELSE 0 END AS discount
          FROM wanted GROUP BY number, n) AS added
  JOIN users ON users.email = format('buyer%s@mail.example', 1 + n % 50);

INSERT INTO order_items (order_id, product_id, product_sku, product_name, quantity, unit_price, total)
SELECT orders.id, product_id, sku, name, quantity, precio_venta, quantity * precio_venta
  FROM wanted JOIN orders USING (number);

DROP TABLE wanted;

INSERT INTO payment_methods (buyer_id, kind, label, external_id)
SELECT users.id, CASE WHEN n % 2 = 0 THEN 'card' ELSE 'transfer' END, format('Account %s', n),
       CASE WHEN n % 2 = 0 THEN format('pm_%s', n) END
  FROM generate_series(1, 50) AS n
  JOIN users ON users.email = format('buyer%s@mail.example', n);

-- One attempt for each order that was paid or cancelled; a few paid with a method that they did not keep.
INSERT INTO order_transactions (order_id, payment_method_id, outcome, external_id)
SELECT orders.id, CASE WHEN orders.number NOT LIKE '%7' THEN payment_methods.id END,
       CASE orders.status WHEN 'paid' THEN 'captured' ELSE 'refused' END, format('tx_%s', orders.number)
  FROM orders JOIN payment_methods USING (buyer_id)
 WHERE orders.status IN ('paid', 'cancelled');

INSERT INTO payments (transaction_id, amount, currency, method_type, status, external_id)
SELECT order_transactions.id, orders.total, 'EUR', coalesce(payment_methods.kind, 'card'), 'captured',
       CASE WHEN payment_methods.kind = 'card' THEN format('pay_%s', orders.number) END
  FROM order_transactions
  JOIN orders ON orders.id = order_transactions.order_id
  LEFT JOIN payment_methods ON payment_methods.id = order_transactions.payment_method_id
 WHERE order_transactions.outcome = 'captured';
