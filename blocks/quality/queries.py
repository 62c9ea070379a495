"""The comparison as SQL: what is landed, and one table with a row per check and key."""

LANDED = {
    "our_stock": "sku text, quantity bigint",
    "our_orders": "order_id text, currency text, total numeric, placed_at timestamptz",
    "our_lines": "order_id text, sku text, quantity bigint",
    "movements": "sku text, delta bigint, reason text",
    "stock_before": "sku text, quantity bigint, balance bigint",
    "channel_stock": "sku text, quantity bigint, updated_at timestamptz",
    "channel_orders": "order_id text, currency text, total numeric, created_at timestamptz,"
    " status text",
    "channel_lines": "order_id text, sku text, quantity bigint",
}

# Orders that the channel has sold and that are not here yet explain a difference in stock; those
# placed after the channel's own stock was last changed are not in that number and do not count.
COMPARE = """
CREATE UNLOGGED TABLE comparison AS
WITH under_way AS (
    SELECT l.sku, sum(l.quantity) AS quantity
    FROM channel_orders o
    JOIN channel_lines l USING (order_id)
    JOIN channel_stock s ON s.sku = l.sku
    WHERE o.order_id NOT IN (SELECT order_id FROM our_orders WHERE order_id IS NOT NULL)
      AND (s.updated_at IS NULL OR o.created_at <= s.updated_at)
    GROUP BY l.sku
), stock AS (
    SELECT s.sku, s.quantity AS ours, c.quantity AS theirs,
           greatest(0, s.quantity - coalesce(u.quantity, 0)) AS expected
    FROM our_stock s JOIN channel_stock c USING (sku) LEFT JOIN under_way u USING (sku)
), ordered AS (
    SELECT sku, sum(quantity) AS quantity FROM our_lines GROUP BY sku
), other_moves AS (
    SELECT sku, sum(delta) AS delta FROM movements WHERE reason <> 'order' GROUP BY sku
), explained AS (
    SELECT s.sku, s.quantity - b.quantity AS moved,
           coalesce(m.delta, 0) - coalesce(o.quantity, 0) - b.balance AS expected
    FROM our_stock s JOIN stock_before b USING (sku)
    LEFT JOIN ordered o USING (sku) LEFT JOIN other_moves m USING (sku)
), both_orders AS (
    SELECT o.order_id, o.currency, o.total, c.currency AS their_currency, c.total AS their_total
    FROM our_orders o JOIN channel_orders c USING (order_id)
), our_baskets AS (
    SELECT order_id, string_agg(sku || ' x ' || quantity, ', ' ORDER BY sku, quantity) AS basket
    FROM our_lines GROUP BY order_id
), their_baskets AS (
    SELECT order_id, string_agg(sku || ' x ' || quantity, ', ' ORDER BY sku, quantity) AS basket
    FROM channel_lines GROUP BY order_id
)
SELECT 'INV-01' AS check_id, sku AS key,
       abs(theirs - expected) > greatest(%(units)s, %(share)s * expected) AS violated,
       format('%%s here, %%s there', expected, theirs) AS detail, abs(theirs - expected) AS units
FROM stock
UNION ALL
SELECT 'INV-03', sku, quantity < 0, format('%%s here', quantity), 0 FROM our_stock
UNION ALL
SELECT 'INV-03', sku, quantity < 0, format('%%s there', quantity), 0 FROM channel_stock
UNION ALL
SELECT 'INV-04', sku, ours <= 0 AND theirs > 0, format('%%s here, %%s there', ours, theirs), 0
FROM stock
UNION ALL
SELECT 'INV-07', sku, moved <> expected,
       format('moved by %%s, orders and transfers explain %%s', moved, expected), 0
FROM explained
UNION ALL
SELECT 'ORD-01', c.order_id, o.order_id IS NULL, format('placed %%s', c.created_at), 0
FROM channel_orders c LEFT JOIN our_orders o USING (order_id)
WHERE c.created_at < %(settled)s AND c.status NOT IN ('PENDING', 'PENDING_AVAILABILITY')
UNION ALL
SELECT 'ORD-02', order_id, count(*) > 1, format('%%s times', count(*)), 0
FROM our_orders WHERE order_id IS NOT NULL GROUP BY order_id
UNION ALL
SELECT 'ORD-04', order_id,
       their_total IS NOT NULL
       AND (currency <> their_currency OR abs(total - their_total) > 0.5 * 10 ^ -(
            CASE WHEN their_currency IN ('JPY', 'KRW', 'VND', 'CLP') THEN 0
                 WHEN their_currency IN ('KWD', 'BHD', 'OMR', 'JOD', 'TND') THEN 3 ELSE 2 END)),
       format('%%s %%s here, %%s %%s there', total, currency, their_total, their_currency), 0
FROM both_orders
UNION ALL
SELECT 'ORD-05', order_id, our_baskets.basket IS DISTINCT FROM their_baskets.basket,
       format('%%s here, %%s there', our_baskets.basket, their_baskets.basket), 0
FROM both_orders LEFT JOIN our_baskets USING (order_id) LEFT JOIN their_baskets USING (order_id)
"""
