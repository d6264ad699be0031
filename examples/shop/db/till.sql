-- A till after a morning: 1 seller, 20 products, 40 orders of one item each, paid on the spot. SQLite's own SQL.

INSERT INTO users (email, name) VALUES ('showroom@shop.example', 'Showroom'), ('walk-in@shop.example', 'Walk-in');

INSERT INTO products (vendedor_id, sku, name, precio_venta, precio_costo, peso)
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers LIMIT 20)
SELECT users.id, printf('SKU-%d', n), printf('Product %d', n), 5 + n * 1.25, 2 + n * 0.75, n * 0.05
  FROM numbers JOIN users ON users.email = 'showroom@shop.example';

INSERT INTO orders (buyer_id, number, status, subtotal, tax, total, shipping_name)
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers LIMIT 40)
SELECT users.id, printf('T-%d', n), 'paid', precio_venta, round(precio_venta * 0.21, 2),
       round(precio_venta + round(precio_venta * 0.21, 2), 2), 'carried home'
  FROM numbers
  JOIN products ON products.sku = printf('SKU-%d', 1 + n % 20)
  JOIN users ON users.email = 'walk-in@shop.example';

INSERT INTO order_items (order_id, product_id, product_sku, product_name, quantity, unit_price, total)
SELECT orders.id, products.id, sku, products.name, 1, precio_venta, precio_venta
  FROM orders JOIN products ON products.sku = printf('SKU-%d', 1 + CAST(substr(number, 3) AS INTEGER) % 20);

INSERT INTO payment_methods (buyer_id, kind, label)
SELECT id, 'card', 'Terminal' FROM users WHERE email = 'walk-in@shop.example';

INSERT INTO order_transactions (order_id, payment_method_id, outcome, external_id)
SELECT orders.id, payment_methods.id, 'captured', 'tx_' || number FROM orders JOIN payment_methods USING (buyer_id);

INSERT INTO payments (transaction_id, amount, currency, method_type, status)
SELECT order_transactions.id, orders.total, 'EUR', 'card', 'captured'
  FROM order_transactions JOIN orders ON orders.id = order_transactions.order_id;
