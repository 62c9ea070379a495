"""The checks as a handful of SQL queries, written one by one over the landed tables."""

UNDER_WAY = """
    SELECT l.channel, l.sku, sum(l.quantity) AS quantity FROM their_orders t
    JOIN their_lines l USING (channel, order_id) LEFT JOIN our_orders o USING (channel, order_id)
    WHERE o.order_id IS NULL AND t.progress <> 'cancelled' GROUP BY l.channel, l.sku
"""
LATELY = """
    SELECT channel, sku, greatest(0, max(undone)) AS rose, least(0, min(undone)) AS fell
    FROM (SELECT channel, sku,
                 sum(delta) OVER (PARTITION BY channel, sku ORDER BY at DESC) AS undone
          FROM our_movements WHERE at >= %(settled)s) m GROUP BY channel, sku
"""
SETTLED = "(o.changed_at IS NULL OR o.changed_at < %(settled)s OR m.sku IS NOT NULL)"
E = "least(o.allocation, greatest(0, o.quantity - coalesce(o.buffer, 0)))"
SOLD = "SELECT channel, sku, sum(quantity) AS quantity FROM our_lines GROUP BY channel, sku"
MOVED = """
    SELECT channel, sku, sum(delta) AS moved, sum(delta) FILTER (WHERE reason <> 'order') AS other
    FROM our_movements GROUP BY channel, sku
"""
BASKET = "string_agg(sku || ' x ' || quantity, ', ' ORDER BY sku, quantity) AS basket"

QUERIES = {
    "PAG-01 stock": "SELECT channel, sku FROM their_stock GROUP BY 1, 2 HAVING count(*) > 1",
    "PAG-01 orders": "SELECT channel, order_id FROM their_orders GROUP BY 1, 2 HAVING count(*) > 1",
    "INV-01": f"""
        WITH under_way AS ({UNDER_WAY}), lately AS ({LATELY})
        SELECT channel, sku, {E}, t.quantity FROM our_stock o JOIN their_stock t USING
        (channel, sku)
        LEFT JOIN under_way u USING (channel, sku) LEFT JOIN lately m USING (channel, sku)
        WHERE {SETTLED} AND NOT t.quantity BETWEEN
        greatest(0, {E} - coalesce(m.rose, 0) - coalesce(u.quantity, 0)) AND {E} -
        coalesce(m.fell, 0)
        """,
    "INV-03": "SELECT channel, sku FROM our_stock WHERE quantity < 0"
              " UNION ALL SELECT channel, sku FROM their_stock WHERE quantity < 0",
    "INV-04": f"""
        WITH lately AS ({LATELY})
        SELECT channel, sku FROM our_stock o JOIN their_stock t USING (channel, sku)
        LEFT JOIN lately m USING (channel, sku)
        WHERE {SETTLED} AND {E} - coalesce(m.fell, 0) = 0 AND t.quantity > 0""",
    "INV-05": f"""
        WITH under_way AS ({UNDER_WAY}), lately AS ({LATELY})
        SELECT channel, sku FROM our_stock o JOIN their_stock t USING (channel, sku)
        LEFT JOIN under_way u USING (channel, sku) LEFT JOIN lately m USING (channel, sku)
        WHERE {SETTLED} AND t.quantity = 0
        AND {E} - coalesce(m.rose, 0) - coalesce(u.quantity, 0) > coalesce(o.buffer, 0)""",
    "INV-06": "SELECT channel, sku FROM our_stock o FULL JOIN their_stock t USING (channel, sku)"
              " WHERE o.quantity IS NULL OR t.quantity IS NULL",
    "INV-07": f"""
        WITH sold AS ({SOLD}), moved AS ({MOVED})
        SELECT channel, sku FROM our_stock o
        JOIN (SELECT * FROM openings WHERE look = %(opening)s) b USING (channel, sku)
        LEFT JOIN sold USING (channel, sku) LEFT JOIN moved m USING (channel, sku)
        WHERE o.quantity - b.quantity <> coalesce(m.other, 0) - b.restocked
                                         - coalesce(sold.quantity, 0) + b.sold""",
    "INV-08": f"""
        WITH moved AS ({MOVED})
        SELECT channel, sku FROM our_stock o
        JOIN (SELECT * FROM openings WHERE look = %(opening)s) b USING (channel, sku)
        LEFT JOIN moved m USING (channel, sku)
        WHERE o.quantity - b.quantity <> coalesce(m.moved, 0) - b.moved""",
    "INV-09": "SELECT channel, sku FROM our_stock o"
              " JOIN (SELECT * FROM openings WHERE look = %(opening)s) b USING (channel, sku)"
              " WHERE 2 * abs(o.quantity - b.quantity) > b.quantity AND b.quantity > 0",
    "ORD-01": "SELECT channel, order_id FROM their_orders t"
              " LEFT JOIN our_orders o USING (channel, order_id) WHERE o.order_id IS NULL"
              " AND t.progress IN ('open', 'shipped') AND t.updated_at < %(settled)s",
    "ORD-02": "SELECT channel, order_id FROM our_orders GROUP BY 1, 2 HAVING count(*) > 1",
    "ORD-03": "SELECT channel, order_id FROM our_orders o"
              " LEFT JOIN their_orders t USING (channel, order_id)"
              " WHERE t.order_id IS NULL AND o.imported_at < %(settled)s",
    "ORD-04": "SELECT channel, order_id FROM our_orders o"
              " JOIN their_orders t USING (channel, order_id)"
              " WHERE o.currency <> t.currency OR abs(o.total - t.total) > 0.005",
    "ORD-05": f"""
        WITH ours AS (SELECT channel, order_id, {BASKET} FROM our_lines GROUP BY 1, 2),
             theirs AS (SELECT channel, order_id, {BASKET} FROM their_lines GROUP BY 1, 2)
        SELECT channel, order_id FROM our_orders JOIN theirs USING (channel, order_id)
        LEFT JOIN ours USING (channel, order_id) WHERE ours.basket IS DISTINCT FROM theirs.basket
        """,
    "ORD-06": "SELECT channel, order_id FROM our_orders o"
              " JOIN their_orders t USING (channel, order_id)"
              " WHERE t.progress = 'cancelled' AND NOT o.cancelled",
    "LAG-01": "SELECT channel, percentile_cont(0.95) WITHIN GROUP"
              " (ORDER BY extract(epoch FROM o.imported_at - t.created_at))"
              " FROM our_orders o JOIN their_orders t USING (channel, order_id) GROUP BY channel",
    "TZ-01": "SELECT channel, order_id FROM our_orders o"
             " JOIN their_orders t USING (channel, order_id)"
             " WHERE abs(extract(epoch FROM o.placed_at - t.created_at)) > 450",
}  # fmt: skip
